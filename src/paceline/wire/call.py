"""Who calls and in what frame: the principal of a token and the context of one request.

Made by wire/server after the checks at the edge, handed to every request handler.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from paceline.errors.failure import PacelineError
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.operation import Answer, ClientKind

GRACE_S = 1.0
"""What a handler may take beyond its deadline before it is given up (chosen)."""

LAST_TENANT = 2**31 - 1
"""Tenants are integers of 32 bits in every table."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Person, application or visitor, as its token says. `tenants` empty = all of the site."""

    name: str
    kind: str
    tenants: tuple[int, ...] = (DEFAULT_TENANT,)
    access_groups: tuple[str, ...] = ()
    token_id: str = ""


ANYONE = Principal(name="anyone", kind="anyone", tenants=())
"""The caller of an open operation without a token."""


class Peer(Protocol):
    """The session a request came over, as handlers see it.

    `last_request_at` is the machine's monotonic time of its last request, `extension` what its hello
    asked for.
    """

    session_id: str
    client: str
    client_kind: ClientKind
    principal: Principal
    tenant: int
    last_request_at: float
    extension: Mapping[str, int | str]

    def notify(self, name: str, body: Answer, *, subscription: int | None = None) -> None:
        """Queues a notice; a reader too slow gets `resync_required` instead of a gap."""

    def notify_encoded(self, name: str, body: bytes, *, subscription: int | None = None) -> bool:
        """Like `notify` with the JSON of the body; False when the reader was too slow for it."""

    @property
    def has_room(self) -> bool:
        """Whether the reader has taken enough of what was queued that more may follow."""

    async def wait_for_room(self) -> None:
        """Returns when there is room, or when the session has ended."""

    def resync(self, subscription: int, position: str | None) -> None:
        """Ends a subscription whose reader is too slow: it is told from where to go on."""

    def open_subscription(self, on_close: Callable[[], None]) -> int:
        """A new subscription's number; `on_close` runs once when it or the session ends."""

    def on_close(self, callback: Callable[[], None]) -> None:
        """Runs `callback` once when the session ends; at once when it has ended."""


class Limit(Protocol):
    """What gives a handler up, at a time of the loop (asyncio.Timeout)."""

    def reschedule(self, when: float | None) -> None:
        """Gives up then instead."""


class Call(msgspec.Struct, kw_only=True, eq=False):
    """One request's context. `deadline` is in the machine's monotonic seconds; `peer` None over HTTP.

    A handler whose answer hands something over sets `on_undelivered`: it gets the answer again when
    a caller over HTTP has gone before it. What a session loses is told by `Peer.on_close`.
    """

    principal: Principal
    tenant: int
    client: str
    client_kind: ClientKind
    request_id: str
    deadline: float
    peer: Peer | None = None
    idempotency_key: str | None = None
    on_undelivered: Callable[[Any], None] | None = None
    limit: Limit | None = None

    def hold_until(self, at: float) -> None:
        """Moves the deadline on: the request is held, it waits for something that may come."""
        self.deadline = max(self.deadline, at)
        if self.limit is not None:
            self.limit.reschedule(self.deadline + GRACE_S)

    def tenant_of(self, asked: int | None) -> int:
        """The tenant a request runs in: the caller's, or the one it names when it may.

        Raises
        ------
        PacelineError
            `not_allowed` when the caller has no right on the tenant it names, `invalid_attribute`
            when no tenant can have this number.
        """
        if asked is None or asked == self.tenant:
            return self.tenant
        if not 0 < asked <= LAST_TENANT:
            raise PacelineError(
                "invalid_attribute", f"no tenant has the number {asked}", field="tenant"
            )
        if self.principal.tenants and asked not in self.principal.tenants:
            raise PacelineError(
                "not_allowed",
                f"'{self.principal.name}' has no right on tenant {asked}",
                field="tenant",
            )
        return asked

    def needs_peer(self, operation: str) -> Peer:
        """The session, for operations that go on with notices.

        Raises
        ------
        PacelineError
            `unsupported_operation` when the request came over plain HTTP.
        """
        if self.peer is None:
            raise PacelineError(
                "unsupported_operation", f"{operation} needs a session; connect to /v1/session"
            )
        return self.peer


Handler = Callable[[Call, Any], Awaitable[Any]]
"""Takes the call and the decoded request, gives the answer. Hot ones return a future, not a coroutine."""

Handlers = dict[str, Handler]
"""Operation name to handler; a server's `requests/` modules each add theirs."""

"""Typed client of the configuration server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Raw

from paceline.sdk.connection import Connection, Subscription
from paceline.wire.operation import Done
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.configuration import (
    Applied,
    Apply,
    Change,
    ChangeObject,
    ChangePage,
    ChangesNotice,
    ChangesSubscribed,
    CheckedExpression,
    CheckExpression,
    CreateObject,
    Effective,
    EffectiveRef,
    Empty,
    Keys,
    ListObjects,
    Login,
    Me,
    ObjectPage,
    ObjectRecord,
    ObjectRef,
    ReadChanges,
    ReplaceObject,
    ReportStatus,
    StatusList,
    StatusPage,
    StreamChanges,
    Token,
    TokenRequest,
)
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status

_OPERATIONS = OPERATIONS_OF["configuration"]


class _Server:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def status(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Status]:
        """Status and mode of this server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.status"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def ping(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Pong]:
        """Answered at once, with the state of each node behind the server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.ping"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def findings(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Findings]:
        """Configuration mistakes and obstacles: object, field, consequence, fix."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.findings"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Object:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        type: str,
        name: str | None = None,
        number: str | None = None,
        switch: str | None = None,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ObjectPage]:
        """Objects of one type."""
        request = ListObjects(
            type=type,
            name=name,
            number=number,
            switch=switch,
            limit=limit,
            continuation=continuation,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["object.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def get(
        self,
        *,
        type: str,
        id: int,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ObjectRecord]:
        """One object."""
        request = ObjectRef(type=type, id=id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["object.get"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def create(
        self,
        *,
        type: str,
        body: Raw,
        name: str = "",
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ObjectRecord]:
        """Creates an object."""
        request = CreateObject(type=type, body=body, name=name, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["object.create"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def replace(
        self,
        *,
        type: str,
        id: int,
        name: str,
        body: Raw,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ObjectRecord]:
        """Replaces an object."""
        request = ReplaceObject(type=type, id=id, name=name, body=body, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["object.replace"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def change(
        self,
        *,
        type: str,
        id: int,
        name: str | None = None,
        body: Raw = Raw(b"{}"),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ObjectRecord]:
        """Changes fields or the name of an object; a rename ripples through all references."""
        request = ChangeObject(type=type, id=id, name=name, body=body, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["object.change"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def delete(
        self,
        *,
        type: str,
        id: int,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Deletes an object that nothing refers to."""
        request = ObjectRef(type=type, id=id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["object.delete"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Configuration:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def apply(
        self,
        *,
        changes: tuple[Change, ...],
        dry_run: bool = False,
        expected_seq: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Applied]:
        """Applies many changes in one transaction."""
        request = Apply(changes=changes, dry_run=dry_run, expected_seq=expected_seq)
        return self._connection.call(
            _OPERATIONS["configuration.apply"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def effective(
        self,
        *,
        id: int,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Effective]:
        """An application's options and connections as they work."""
        request = EffectiveRef(id=id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["configuration.effective"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def changes(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ChangePage]:
        """History of changes after a sequence number."""
        request = ReadChanges(after=after, limit=limit, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["configuration.changes"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], StreamChanges],
        on_notice: Callable[[ChangesNotice], None],
        on_open: Callable[[ChangesSubscribed], None] | None = None,
    ) -> Subscription[ChangesNotice]:
        """Changes as they are committed."""
        return self._connection.subscribe(
            _OPERATIONS["configuration.stream"], make_request, on_notice, on_open
        )


class _Expression:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def check(
        self,
        *,
        kind: Literal["condition", "order", "segment", "skill", "filter"],
        text: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[CheckedExpression]:
        """Whether a condition, an order, a skill expression or a filter can be read."""
        request = CheckExpression(kind=kind, text=text, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["expression.check"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Session:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def login(
        self,
        *,
        user: str,
        password: str,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Token]:
        """A person logs in."""
        request = Login(user=user, password=password)
        return self._connection.call(
            _OPERATIONS["session.login"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def logout(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Done]:
        """Revokes the caller's token."""
        request = Empty()
        return self._connection.call(
            _OPERATIONS["session.logout"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Token:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def issue(
        self,
        *,
        grant_type: Literal["renewal", "client_credentials"] = "renewal",
        client_id: str | None = None,
        client_secret: str | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Token]:
        """Renews the caller's token, or logs an application in."""
        request = TokenRequest(
            grant_type=grant_type, client_id=client_id, client_secret=client_secret
        )
        return self._connection.call(
            _OPERATIONS["token.issue"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def keys(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Keys]:
        """Public keys that verify tokens."""
        request = Empty()
        return self._connection.call(
            _OPERATIONS["token.keys"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Me:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Me]:
        """The caller."""
        request = Empty()
        return self._connection.call(
            _OPERATIONS["me.get"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Application:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def report_status(
        self,
        *,
        application: str,
        status: Literal["initializing", "started", "unavailable", "stopped"],
        mode: Literal["primary", "backup"] = "primary",
        reason: str = "",
        urls: dict[str, str] = {},
        pid: int = 0,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """A server reports its status and addresses."""
        request = ReportStatus(
            application=application, status=status, mode=mode, reason=reason, urls=urls, pid=pid
        )
        return self._connection.call(
            _OPERATIONS["application.report_status"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def status(
        self,
        *,
        limit: int = 1000,
        continuation: str | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StatusPage]:
        """Status, mode and addresses of all applications."""
        request = StatusList(limit=limit, continuation=continuation)
        return self._connection.call(
            _OPERATIONS["application.status"], request, timeout_s=timeout_s, key=idempotency_key
        )


class ConfigurationServerClient:
    """Every operation of the configuration server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.object = _Object(connection)
        self.configuration = _Configuration(connection)
        self.expression = _Expression(connection)
        self.session = _Session(connection)
        self.token = _Token(connection)
        self.me = _Me(connection)
        self.application = _Application(connection)

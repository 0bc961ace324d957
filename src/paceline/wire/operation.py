"""What an operation is: the one declaration from which routes, session messages, SDK and limits come.

Used by wire/operations (declarations), wire/server (dispatch), wire/client and the generator.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

ClientKind = Literal[
    "agent", "media_server", "router", "reporting", "external_service", "proxy", "operator"
]
Verb = Literal["read", "change", "create", "delete", "execute", "set-permissions"]
Idempotency = Literal["by_nature", "key", "none"]
SizeClass = Literal["small", "large"]

ALL_CLIENT_KINDS: frozenset[ClientKind] = frozenset(
    ("agent", "media_server", "router", "reporting", "external_service", "proxy", "operator")
)
ReasonCode = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A reason's number in the caller's own list, beside its text (documented: ReasonInfo); of 32 bits."""

SIZE_LIMITS: dict[SizeClass, int] = {"small": 2 * 1024 * 1024, "large": 32 * 1024 * 1024}
"""Largest body in bytes: a user data of 1 MiB with room for escapes; a whole configuration or batch."""


def empty_object() -> msgspec.Raw:
    """Default of fields that hold a JSON object as it came."""
    return msgspec.Raw(b"{}")


class HttpRoute(NamedTuple):
    """Where an operation is reached over HTTP; `{name}` in the path fills that field of the request."""

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE", "WS"]
    path: str
    status: int = 200


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of all requests. `tenant` only where the caller may act for another one."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of all answers."""


class Done(Answer, frozen=True, kw_only=True):
    """The answer of operations that have nothing to say."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `right` is (domain, verb): what the caller's access groups must grant.

    `right` None = open to anyone, even without a token. A `stream` operation answers with a
    subscription and goes on with notices of the same name.
    """

    name: str
    request: Any
    answer: Any
    right: tuple[str, Verb] | None
    client_kinds: frozenset[ClientKind] = ALL_CLIENT_KINDS
    idempotency: Idempotency = "none"
    audited: bool = False
    size_class: SizeClass = "small"
    since: str = "1.0"
    http: HttpRoute | None = None
    stream: bool = False
    summary: str = ""


def collect(operations: Iterable[Operation]) -> dict[str, Operation]:
    """The operations by name.

    Raises
    ------
    ValueError
        When two have the same name.
    """
    by_name: dict[str, Operation] = {}
    for operation in operations:
        if operation.name in by_name:
            raise ValueError(f"operation {operation.name} is declared twice")
        by_name[operation.name] = operation
    return by_name

"""Routes outside the operations: pages, the OAuth token form. Servers declare them, wire/server serves them."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec


class OpenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an open route gets: the raw request. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    path_values: Mapping[str, str]
    body: bytes = b""


class OpenResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What an open route answers."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


OpenHandler = Callable[[OpenRequest], Awaitable[OpenResponse]]


class OpenRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One open route; `{name}` in the path is a path value."""

    method: str
    path: str
    handler: OpenHandler

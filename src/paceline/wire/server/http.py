"""HTTP requests: from an operation's route to its handler and back, with one form of errors."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.ids import request_id
from paceline.runtime.log import log_context
from paceline.wire.access import is_bound_agent, may_as, require_own_agent
from paceline.wire.call import ANYONE, Call, Principal
from paceline.wire.frames import PROTOCOL, encode, error_body, require_utf8
from paceline.wire.once import checked_key
from paceline.wire.operation import ALL_CLIENT_KINDS, ClientKind, Operation
from paceline.wire.operations.everywhere import Ready
from paceline.wire.schema import field_error, nul_error, strict_twin
from paceline.wire.server.dispatch import Entry, decode_body
from paceline.wire.server.encoding import ACCEPTED, unpacked
from paceline.wire.server.in_time import in_time
from paceline.wire.server.surface import Surface

DEFAULT_TIMEOUT_S = 10.0
"""INTERFACES (deadlines)."""

HTTP_CLIENT_KIND: ClientKind = "operator"
"""Over HTTP a caller is not a member of the loop unless it says so in `Paceline-Client-Kind`."""

HasGone = Callable[[], Awaitable[bool]]
"""Whether the caller has closed the connection."""

_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class HttpAnswer(msgspec.Struct, frozen=True):
    """Status, body and headers of an answer."""

    status: int
    body: bytes
    headers: dict[str, str]


class HttpEdge:
    """Answers HTTP requests of one server."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    async def answer(
        self,
        operation: Operation,
        *,
        headers: dict[str, str],
        path_values: dict[str, str],
        query: dict[str, str],
        body: bytes,
        has_gone: HasGone,
    ) -> HttpAnswer:
        """Runs one operation; every failure becomes an error body, never an exception.

        `has_gone` tells whether the caller still waits, asked only where the answer hands something
        over.
        """
        rid = headers.get("x-request-id", "")[:64] or request_id()
        try:
            with log_context(request_id=rid):
                result = await self._run(
                    operation, rid, headers, path_values, query, body, has_gone
                )
        except PacelineError as error:
            self._surface.refused(operation.name, rid, error)
            return error_answer(error, rid)
        except Exception as error:  # noqa: BLE001 - the request's edge: told to the caller, logged once
            return error_answer(self._surface.internal_error(operation.name, rid, error), rid)
        status = operation.http.status if operation.http is not None else 200
        if isinstance(result, Ready) and not result.ready:
            status = 503
        return HttpAnswer(status, encode(result), headers_of(rid))

    async def _run(
        self,
        operation: Operation,
        rid: str,
        headers: dict[str, str],
        path_values: dict[str, str],
        query: dict[str, str],
        body: bytes,
        has_gone: HasGone,
    ) -> Any:
        principal = self.caller(headers, query, is_open=operation.right is None)
        kind = _client_kind(headers, principal)
        entry = self._surface.dispatch.allowed(principal, kind).get(operation.name)
        if entry is None:
            raise self._surface.dispatch.refusal(operation.name, principal, kind)
        timeout_s = _timeout_of(query)
        plain = unpacked(body, headers.get("content-encoding", ""))
        request = _request_of(entry, path_values, query, plain)
        if is_bound_agent(principal):
            require_own_agent(principal, request)
        call = Call(
            principal=principal,
            tenant=principal.tenants[0] if principal.tenants else 1,
            client=principal.name,
            client_kind=kind,
            request_id=rid,
            deadline=self._surface.times.machine.monotonic() + timeout_s,
            idempotency_key=checked_key(headers.get("idempotency-key")),
        )
        result = await in_time(call, operation.name, entry.handler(call, request))
        if call.on_undelivered is not None and await has_gone():
            call.on_undelivered(result)
        return result

    def caller(self, headers: dict[str, str], query: dict[str, str], *, is_open: bool) -> Principal:
        """The principal of the Authorization header.

        Raises
        ------
        PacelineError
            `unauthenticated` when the operation is not open and no valid token came.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            if is_open:
                return ANYONE
            raise PacelineError(
                "unauthenticated",
                "send the token as 'Authorization: Bearer …'; POST /v1/login gives one",
            )
        try:
            return self._surface.principal(token.strip())
        except PacelineError:
            if is_open:
                return ANYONE
            raise


def _client_kind(headers: dict[str, str], principal: Principal) -> ClientKind:
    """The kind the caller presents itself as; who may not is refused as in a session's hello."""
    asked = headers.get("paceline-client-kind", HTTP_CLIENT_KIND)
    kind = next((kind for kind in ALL_CLIENT_KINDS if kind == asked), None)
    if kind is None:
        raise PacelineError(
            "invalid_attribute",
            f"Paceline-Client-Kind is one of {', '.join(sorted(ALL_CLIENT_KINDS))}, not '{asked}'",
            field="client_kind",
        )
    if not may_as(kind, principal):
        raise PacelineError(
            "not_allowed", f"'{principal.name}' may not call as {kind}", field="client_kind"
        )
    return kind


def _timeout_of(query: dict[str, str]) -> float:
    text = query.pop("timeout_s", None)
    if text is None:
        return DEFAULT_TIMEOUT_S
    try:
        return min(600.0, max(0.001, float(text)))
    except ValueError:
        raise PacelineError(
            "invalid_attribute", f"timeout_s '{text}' is no number", field="timeout_s"
        ) from None


def _request_of(
    entry: Entry, path_values: dict[str, str], query: dict[str, str], body: bytes
) -> Any:
    """The typed request from path, query and body; path values win over nothing, clashes are refused."""
    kind = entry.operation.request
    try:
        require_utf8(body)
    except UnicodeDecodeError as error:
        raise field_error(error, kind) from None
    if not body:
        given = {**query, **path_values}
        if any("\0" in value for value in given.values()):
            raise nul_error(given)
        try:
            return msgspec.convert(given, strict_twin(kind), strict=False)
        except msgspec.ValidationError as error:
            raise field_error(error, kind) from None
    if not path_values and not query:
        return decode_body(entry, body)
    try:
        fields: dict[str, Any] = dict(_raw_fields.decode(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise field_error(error, kind) from None
    types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in (*query.items(), *path_values.items()):
        if name in fields:
            raise PacelineError(
                "invalid_attribute", f"'{name}' stands in the address and in the body", field=name
            )
        fields[name] = _typed(name, value, types.get(name, str))
    return decode_body(entry, encode(fields))


def _typed(name: str, value: str, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        raise PacelineError(
            "invalid_attribute", f"'{name}' has a wrong value '{value}'", field=name
        ) from None


def headers_of(rid: str) -> dict[str, str]:
    """Headers of every answer."""
    return {"x-request-id": rid, "paceline-protocol": PROTOCOL, "accept-encoding": ACCEPTED}


def error_answer(error: PacelineError, rid: str) -> HttpAnswer:
    """An error as INTERFACES (errors) says, with Retry-After when there is a hint."""
    headers = headers_of(rid)
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return HttpAnswer(error.http_status, encode({"error": error_body(error, rid)}), headers)

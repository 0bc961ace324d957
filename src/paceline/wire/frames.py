"""Frames of a session: one WebSocket frame is a JSON array of messages (a measured factor of two).

Used by both ends. Bodies stay raw here; wire/schema decodes them.
"""

from typing import Annotated, Any

import msgspec

from paceline.errors.failure import PacelineError

Raw = msgspec.Raw
PROTOCOL = "1.0"
"""Protocol version this code speaks, `major.minor` (INTERFACES: versions)."""

MAX_FRAME_BYTES = 4 * 1024 * 1024
"""Largest frame accepted: three user data of the largest size (chosen)."""

MAX_MESSAGES = 4096
"""Most messages in a frame (chosen: four times the requests one session may have in flight)."""

MAX_IN_FLIGHT = 1024
"""Most unanswered requests of one session (chosen: four times the benchmark's 256)."""

HEARTBEAT_S = 10.0
"""A silent session is asked for life this often (chosen: well inside the 30 s of common proxies)."""


LARGEST_REF = 2**53 - 1
"""Any number that every JSON reader keeps whole (RFC 8259 §6)."""

Ref = Annotated[int, msgspec.Meta(ge=-LARGEST_REF, le=LARGEST_REF)]


class Message(msgspec.Struct, gc=False):
    """A message from a client: a request, or the cancellation of one that is held."""

    ref: Ref
    op: str = ""
    body: Raw = Raw(b"{}")
    timeout_s: float | None = None
    idempotency_key: str | None = None
    cancel: bool = False


class Reply(msgspec.Struct, gc=False, omit_defaults=True):
    """A message from a server: an answer to `ref`, or a notice."""

    ref: int | None = None
    result: Raw = Raw()
    error: dict[str, Any] | None = None
    notice: str | None = None
    subscription: int | None = None
    body: Raw = Raw()


_messages = msgspec.json.Decoder(list[Message])
_replies = msgspec.json.Decoder(list[Reply])
encode = msgspec.json.Encoder().encode


def require_utf8(data: bytes) -> None:
    """Raises UnicodeDecodeError unless it is UTF-8: parts that stay raw are not looked at otherwise."""
    if not data.isascii():
        data.decode()


def decode_messages(frame: bytes) -> list[Message]:
    """The messages of a client's frame.

    Raises
    ------
    PacelineError
        `frame_too_large` or `invalid_attribute` when the frame breaks a limit or is no array of messages.
    """
    if len(frame) > MAX_FRAME_BYTES:
        raise PacelineError(
            "frame_too_large", f"a frame may have {MAX_FRAME_BYTES} bytes, not {len(frame)}"
        )
    try:
        require_utf8(frame)
        messages = _messages.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PacelineError(
            "invalid_attribute", f"not an array of messages: {error}", field="frame"
        ) from None
    if len(messages) > MAX_MESSAGES:
        raise PacelineError(
            "frame_too_large", f"a frame may hold {MAX_MESSAGES} messages, not {len(messages)}"
        )
    return messages


def decode_replies(frame: bytes) -> list[Reply]:
    """The replies of a server's frame; raises msgspec.DecodeError when it is none."""
    try:
        return _replies.decode(frame)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from None


def request_bytes(
    ref: int, op: str, body: bytes, timeout_s: float | None, key: str | None
) -> bytes:
    """One request message."""
    head = b'{"ref":%d,"op":"%s","body":%s' % (ref, op.encode(), body)
    if timeout_s is not None:
        head += b',"timeout_s":%s' % encode(timeout_s)
    if key is not None:
        head += b',"idempotency_key":%s' % encode(key)
    return head + b"}"


def result_bytes(ref: int, result: bytes) -> bytes:
    """One answer message."""
    return b'{"ref":%d,"result":%s}' % (ref, result)


def error_bytes(ref: int, error: PacelineError, request_id: str) -> bytes:
    """One error message."""
    return b'{"ref":%d,"error":%s}' % (ref, encode(error_body(error, request_id)))


def notice_bytes(name: str, body: bytes, subscription: int | None) -> bytes:
    """One notice message."""
    if subscription is None:
        return b'{"notice":"%s","body":%s}' % (name.encode(), body)
    return b'{"notice":"%s","subscription":%d,"body":%s}' % (name.encode(), subscription, body)


def error_body(error: PacelineError, request_id: str) -> dict[str, object]:
    """The error object of INTERFACES (errors): name, number, outcome, field, message, request_id."""
    body: dict[str, object] = {
        "name": error.name,
        "number": error.number,
        "outcome": error.outcome,
        "message": error.message,
        "request_id": request_id,
    }
    if error.field is not None:
        body["field"] = error.field
    if error.retry_after_s is not None:
        body["retry_after_s"] = error.retry_after_s
    if error.details is not None:
        body["details"] = error.details
    return body


def error_from(body: dict[str, Any]) -> PacelineError:
    """The error a peer sent, to be raised again; unknown names become `internal_error`."""
    try:
        return PacelineError(
            body["name"],
            body["message"],
            field=body.get("field"),
            retry_after_s=body.get("retry_after_s"),
            outcome=body.get("outcome"),
            details=body.get("details"),
        )
    except KeyError:
        return PacelineError(
            "internal_error", f"the peer answered with an error of a newer version: {body}"
        )

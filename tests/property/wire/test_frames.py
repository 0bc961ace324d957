"""Frames: whatever arrives, the session answers or ends by the one error, and nobody else notices."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.frames import (
    LARGEST_REF,
    MAX_FRAME_BYTES,
    Message,
    decode_messages,
    encode,
    error_body,
    error_from,
    request_bytes,
)
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.session import _frames_of
from tests.component.wire.edge import running_edge

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NEAR_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "ref": st.integers(-1, 3) | ANY_JSON,
            "op": st.sampled_from(["interaction.submit", "interaction.stop", "view.pull", "x"])
            | ANY_JSON,
            "body": st.fixed_dictionaries({"interaction_id": st.text(max_size=2)}) | ANY_JSON,
            "timeout_s": st.floats(allow_nan=False, allow_infinity=False) | ANY_JSON,
            "cancel": st.booleans() | ANY_JSON,
        },
    ),
    max_size=4,
)
FRAMES = st.binary(max_size=60) | NEAR_MESSAGES.map(msgspec.json.encode)


@given(FRAMES)
def test_any_bytes_are_messages_or_refused(frame: bytes) -> None:
    """By the one error type, which a session can tell."""
    try:
        assert all(isinstance(message, Message) for message in decode_messages(frame))
    except PacelineError as refused:
        assert refused.outcome == "not_done"


@given(st.lists(FRAMES, max_size=5))
def test_whatever_one_session_sends_another_is_served(frames: list[bytes]) -> None:
    """Every reply is an answer or an error with a name; the neighbour's request succeeds."""

    async def run() -> None:
        async with running_edge() as edge:
            client, other = await edge.welcome(), await edge.welcome()
            for frame in frames:
                try:
                    await client.link.send(frame)
                except ConnectionError:
                    break
                await edge.times.machine.sleep(0.001)
            body = {"media_type": "chat", "queue": "q"}
            assert "result" in await other.ask("interaction.submit", body)
            await client.link.close()
            while (reply := await client.next()) is not None:
                assert "result" in reply or reply["error"]["name"]

    run_virtual(run())


@given(
    st.integers(0, LARGEST_REF),
    st.sampled_from(sorted(OPERATIONS_OF["interaction"])),
    ANY_JSON,
    st.none() | st.floats(0, 600),
    st.none() | st.text(),
)
def test_a_request_arrives_as_it_was_sent(
    ref: int, op: str, body: Any, timeout_s: float | None, key: str | None
) -> None:
    """Ref, operation, body, deadline and idempotency key."""
    frame = b"[" + request_bytes(ref, op, encode(body), timeout_s, key) + b"]"
    [message] = decode_messages(frame)
    assert (message.ref, message.op, message.timeout_s) == (ref, op, timeout_s)
    assert message.idempotency_key == key
    assert bytes(message.body) == encode(body)


@given(st.lists(st.sampled_from([b"1", b"22", b'"' + b"x" * 1_500_000 + b'"'])))
def test_messages_are_split_into_frames_in_order(messages: list[bytes]) -> None:
    """No frame above the limit, none empty, nothing lost or moved."""
    frames = _frames_of(messages)
    assert all(2 < len(frame) <= MAX_FRAME_BYTES for frame in frames)
    assert b",".join(frame[1:-1] for frame in frames) == b",".join(messages)


@given(
    st.text(),
    st.none() | st.text(),
    st.none() | st.floats(0, 60),
    st.sampled_from(["not_done", "unknown"]),
)
def test_an_error_arrives_as_it_was_raised(
    message: str, field: str | None, retry_after_s: float | None, outcome: Any
) -> None:
    """Name, number, outcome, field, hint and details."""
    raised = PacelineError(
        "overloaded",
        message,
        field=field,
        retry_after_s=retry_after_s,
        outcome=outcome,
        details={"current_epoch": 3},
    )
    told = error_from(msgspec.json.decode(encode(error_body(raised, "r"))))
    for attribute in ("name", "number", "outcome", "field", "message", "retry_after_s", "details"):
        assert getattr(told, attribute) == getattr(raised, attribute)

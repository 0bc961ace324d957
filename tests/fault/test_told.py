"""The replay by which the fault tests judge finds what must never be."""

import msgspec
import pytest

from paceline.wire.operations.event import Event
from tests.fault.told import Replay

QUEUE = "Chats"


def _event(number: int, name: str, key: str, **data: object) -> Event:
    return Event(
        position=str(number),
        node=1,
        event_id=number,
        name=f"Event{name}",
        at="",
        tenant=1,
        actor="",
        interaction_id=key,
        queue=QUEUE,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def _submitted(number: int, key: str, priority: int = 0) -> Event:
    return _event(
        number,
        "InteractionSubmitted",
        key,
        priority=priority,
        received_at="2026-01-01T00:00:00Z",
        submit_seq=number,
    )


def _taken(number: int, key: str) -> Event:
    return _event(number, "TakenFromQueue", key)


def test_a_possible_story_passes() -> None:
    """The better one first; what goes back is taken again at its old place."""
    replay = Replay(QUEUE)
    for event in (
        _submitted(1, "a"),
        _submitted(2, "b", priority=1),
        _taken(3, "b"),
        _event(4, "PlacedInQueue", "b"),
        _taken(5, "b"),
        _taken(6, "a"),
    ):
        replay.take(event)
    assert replay.taken == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "last",
    [
        _taken(4, "b"),  # handed out already
        _taken(5, "a"),  # a gap
        _submitted(4, "a"),  # known
    ],
)
def test_what_must_never_be_is_found(last: Event) -> None:
    """Handed out twice, an event that is missing, a submission stored twice."""
    replay = Replay(QUEUE)
    for event in (_submitted(1, "a"), _submitted(2, "b", priority=1), _taken(3, "b")):
        replay.take(event)
    with pytest.raises(AssertionError):
        replay.take(last)


def test_an_order_that_is_not_kept_is_found() -> None:
    """The worse one of two that waited is taken."""
    replay = Replay(QUEUE)
    replay.take(_submitted(1, "a"))
    replay.take(_submitted(2, "b", priority=1))
    with pytest.raises(AssertionError, match="before"):
        replay.take(_taken(3, "a"))

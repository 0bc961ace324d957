"""View order judged from events: the rehearsed views with condition and order, and with segments."""

from typing import Any

import pytest

from paceline.model import events
from paceline.model.instant import to_text
from paceline.runtime.virtual_loop import run_virtual
from paceline.simulator.whole.configuration import LETTERS, PARCELS
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.order import ViewOrder
from paceline.wire.operations.event import Event
from tests.component.simulator.whole_invariants.stories import Story
from tests.fakes.site import small_site


class _Told:
    """A log that holds these events."""

    def __init__(self, told: list[Event]) -> None:
        self._told = told

    async def events(self, after: int, limit: int) -> tuple[tuple[Event, ...], bool]:
        """All behind an id."""
        return tuple(event for event in self._told if event.event_id > after), True


def _judge(story: Story, queue: str, waiting: list[dict[str, Any]], pulled: list[int]) -> None:
    """Interactions w0, w1 … come in turn, with the user data given; a router pulls some."""
    told = [
        story.event(
            events.INTERACTION_SUBMITTED, f"w{number}", queue=queue, received_at=to_text(number),
            submit_seq=number + 1, user_data=data,
        )
        for number, data in enumerate(waiting)
    ]  # fmt: skip
    told += [
        story.event(events.TAKEN_FROM_QUEUE, f"w{number}", queue=queue, party="strategy")
        for number in pulled
    ]
    log = EventLog(_Told(told), write=lambda line: None)  # type: ignore[arg-type]  # the part that it asks
    run_virtual(ViewOrder(log, small_site().build()).check_now())


def test_the_heaviest_letter_comes_first() -> None:
    """Light ones never, the heaviest first, the oldest of equals; anything else is found."""
    letters = [{"Weight": 1}, {"Weight": 3}, {"Weight": 9}, {"Weight": 9}, {}]
    _judge(Story(), LETTERS, letters, [2, 3, 1])
    for wrong in ([3], [1], [2, 3, 1, 0]):
        with pytest.raises(InvariantBroken, match="respects the view's order"):
            _judge(Story(), LETTERS, letters, wrong)


def test_a_region_gives_no_more_than_its_limit() -> None:
    """The third of a region waits while two are in routing; the next region's oldest is the first."""
    parcels = [{"Region": "north"}, {"Region": "north"}, {"Region": "north"}, {"Region": "south"}]
    _judge(Story(), PARCELS, parcels, [0, 1, 3])
    for wrong in ([0, 1, 2], [0, 3]):
        with pytest.raises(InvariantBroken, match="respects the view's order"):
            _judge(Story(), PARCELS, parcels, wrong)

"""Laws of the statistics over random legal days, against a recount that knows nothing of them."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from paceline.model import events as names
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.stat.live.saved import gather, restore
from paceline.servers.stat.live.statistics import Statistic
from paceline.servers.stat.store.checkpoint import read_checkpoint, write_checkpoint
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event
from tests.property.stat.legal_day import AGENTS, QUEUES, LegalDay, Step, steps
from tests.unit.stat.story import START, Floor, Story, site

F = "PACS_Proactive_Interaction"
GROUPS = {"left": {"a1", "a2"}, "right": {"a2", "a3"}, "left,right": {"a1", "a2", "a3"}}
ENDS = (
    "CallAnswered",
    "CallAbandoned",
    "CallAbandonedFromRinging",
    "CallCleared",
    "CallDistributedToQueue",
)


def recount(events: list[Event], queue: str, keep: Any) -> dict[str, int]:
    """Numbers of one virtual queue, by going through the whole day for each interaction alone."""
    counts = dict.fromkeys(("CallEntered", "CallWait", "CallRinging", *ENDS), 0)
    ours: dict[str, list[Event]] = {}
    proactive: set[str] = set()
    for event in events:
        if event.interaction_id is not None:
            ours.setdefault(event.interaction_id, []).append(event)
            if event.name == names.INTERACTION_SUBMITTED and b'"Proactive":"1"' in bytes(
                event.data
            ):
                proactive.add(event.interaction_id)
    for interaction, happened in ours.items():
        if keep(interaction in proactive):
            _recount_one(happened, queue, counts)
    return counts


def _recount_one(happened: list[Event], queue: str, counts: dict[str, int]) -> None:
    inside, ringing = False, False
    for event in happened:
        data = msgspec.json.decode(event.data)
        here = data.get("virtual_queue") == queue
        if event.name == names.AGENT_INVITED:
            ringing = True
        elif event.name in (names.REJECTED, names.REVOKED, names.PARTY_ADDED):
            ringing = False
        elif event.name == names.VIRTUAL_QUEUE_ENTERED:
            if inside and not here:
                counts["CallDistributedToQueue"] += 1
            if here and not inside:
                counts["CallEntered"] += 1
            inside = here
        elif here and inside:
            inside = False
            counts[_end_of(event, data)] += 1
    if inside:
        counts["CallRinging" if ringing else "CallWait"] += 1


def _end_of(event: Event, data: dict[str, Any]) -> str:
    if event.name == names.VIRTUAL_QUEUE_ABANDONED:
        return "CallAbandonedFromRinging" if data["was_ringing"] else "CallAbandoned"
    if event.name == names.VIRTUAL_QUEUE_DISTRIBUTED:
        return "CallAnswered"
    return "CallDistributedToQueue" if event.reason == "moved" else "CallCleared"


def open_all(floor: Floor) -> dict[tuple[str, str, str], Statistic]:
    """Every action of both queues with F, without F and unfiltered, and what agents served."""
    found = {}
    for queue in QUEUES:
        for sign, text in (("F", F), ("~F", f"~{F}"), ("", "")):
            for action in ("CallEntered", "CallWait", "CallRinging", *ENDS):
                durable = action in ("CallWait", "CallRinging")
                found[queue, sign, action] = floor.open(
                    "Queue",
                    queue,
                    category="CurrentNumber" if durable else "TotalNumber",
                    main_mask=action,
                    filter=text or None,
                    profile=None if durable else "Ever",
                )
    for group in GROUPS:
        found[group, "", "served"] = floor.open(
            "GroupAgents",
            group,
            category="TotalNumber",
            main_mask="CallReleased,ACWCompleted",
            once_per_interaction=True,
            profile="Ever",
        )
    return found


@given(steps)
def test_every_number_is_the_recount(wanted: list[Step]) -> None:
    """Each statistic equals the recount, and what entered is where or ended exactly once."""
    floor, story = Floor(), LegalDay().tell(wanted)
    opened = open_all(floor)
    if story.events:
        floor.take(story)
    keeps: dict[str, Any] = {"F": bool, "~F": lambda yes: not yes, "": lambda yes: True}
    for queue in QUEUES:
        for sign, keep in keeps.items():
            expected = recount(story.events, queue, keep)
            found = {action: opened[queue, sign, action].value for action in expected}
            assert found == expected
            assert found["CallEntered"] == sum(found.values()) - found["CallEntered"]
    for group, members in GROUPS.items():
        served = [
            event
            for event in story.events
            if event.name == names.PARTY_REMOVED and event.agent in members
        ]
        assert opened[group, "", "served"].value == len(served)


@given(steps)
def test_slots_are_the_recount(wanted: list[Step]) -> None:
    """What an agent has is what rings at it or is handled by it; memory ends with the work."""
    day = LegalDay()
    story, floor = day.tell(wanted), Floor()
    if story.events:
        floor.take(story)
    busy = dict.fromkeys(AGENTS, 0)
    for one in day.open.values():
        for agent in (one.ringing, one.agent):
            if agent is not None:
                busy[agent] += 1
    for agent, count in busy.items():
        held = floor.centre.agents.by_key.get((1, agent))
        assert (held.current.get("chat", 0) if held else 0) == count
    assert len(floor.centre.interactions) <= len(day.open)


@given(steps, st.lists(st.integers(0, 200), max_size=3))
def test_a_restart_anywhere_changes_nothing(wanted: list[Step], places: list[int]) -> None:
    """With restarts after any events, each taking up the last checkpoint, every value is the same."""
    story = LegalDay().tell(wanted)
    straight = Floor()
    expected = open_all(straight)
    if story.events:
        straight.take(story)

    async def with_restarts() -> None:
        times = virtual_times(Millis(START))
        database = open_database(from_url("sqlite://"), times=times, inline=True)
        try:
            await upgrade(database, ["stat"])
            floor = await _days_parts(database, story, sorted(places))
        finally:
            await database.close()
        again = open_all(floor)
        assert {k: s.value for k, s in again.items()} == {k: s.value for k, s in expected.items()}
        assert floor.centre.interactions == straight.centre.interactions
        for key in ((1, agent) for agent in AGENTS):
            assert floor.centre.agents.state(key) == straight.centre.agents.state(key)

    run_virtual(with_restarts())


async def _days_parts(database: Database, story: Story, places: list[int]) -> Floor:
    """Take the day with a checkpoint and a restart at each place; some events come twice."""
    floor = Floor()
    open_all(floor)
    for place in places:
        floor.centre.take("ixn", story.events[:place], f"p{place}")
        await write_checkpoint(database, gather(floor.centre))
        floor.centre.take("ixn", story.events[: place + 5], "lost with the crash")
        floor = Floor(site().build())
        restore(floor.centre, await read_checkpoint(database), Millis(START))
    floor.centre.take("ixn", story.events, "end")
    return floor

"""Views: condition, order, segments, limits, scheduling, check interval, and what a restart keeps."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import View
from paceline.model.instant import to_text
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.interaction import Interaction
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import Node, running_node, small_site

START = Millis(1_000_000_000_000)
VIEW = "Own view"


def _times() -> Times:
    return virtual_times(START)


def _site(**fields: object) -> SnapshotBuilder:
    site = small_site()
    view = View(business_process="Service", queue="Chats", **fields)  # type: ignore[arg-type]  # as the test names them
    site.add("scripts", VIEW, view)
    return site


class Clients:
    """A media server and a router at one node."""

    def __init__(
        self, node: Node, media: InteractionServerClient, router: InteractionServerClient
    ) -> None:
        self.node = node
        self.media = media
        self.router = router

    async def submit(self, name: str, **fields: object) -> str:
        answer = await self.media.interaction.submit(
            media_type="chat",
            queue="Chats",
            external_id=name,
            **fields,  # type: ignore[arg-type]  # fields of Submit
        )
        return answer.interaction_id

    async def pull(self, count: int = 1, hold_s: float = 0.0) -> list[str | None]:
        pulled = await self.router.view.pull(view=VIEW, count=count, hold_s=hold_s)
        return names(pulled.interactions)


def names(found: Sequence[Interaction]) -> list[str | None]:
    return [item.external_id for item in found]


@asynccontextmanager
async def clients(
    times: Times,
    *,
    database: Database | None = None,
    epoch: int = 1,
    head_size: int = 10,
    **fields: object,
) -> AsyncIterator[Clients]:
    """A node with one view of the given fields."""
    async with running_node(
        times,
        database=database,
        epoch=epoch,
        site=_site(**fields),
        options={"views": {"head-size": head_size}},
    ) as node:
        yield Clients(node, await node.client("chat"), await node.client("router", "router"))


def test_a_condition_selects() -> None:
    """Only what meets the condition can be pulled; the rest stays in the queue."""

    async def scenario() -> None:
        async with clients(_times(), condition="Priority * 2 > 4 AND ExternalId LIKE 'a%'") as c:
            for name, priority in (("a", 3), ("b", 3), ("ab", 2), ("abc", 4)):
                await c.submit(name, priority=priority)
            assert await c.pull(count=10) == ["abc", "a"]
            assert (await c.media.view.list()).items[-1].depth == 0

    run_virtual(scenario())


def test_an_own_order_is_exact_with_absent_values_and_descending_texts() -> None:
    """NULLS FIRST, descending text, then the sequence; the head is smaller than what waits."""

    async def scenario() -> None:
        async with clients(_times(), order="ParentInteractionId NULLS FIRST, ExternalId DESC") as c:
            root = await c.submit("root", received_at="2001-09-09T01:00:00Z")
            for name in ("b", "é", "c", "a", "c"):
                await c.submit(name, parent_id=root)
            for count in range(25):
                await c.submit(f"n{count:02}")
            expected = ["root", *[f"n{count:02}" for count in range(24, -1, -1)]]
            assert await c.pull(count=5) == expected[:5]
            await c.submit("zzz")
            assert await c.pull(count=1) == ["zzz"]
            assert await c.pull(count=21) == expected[5:]
            assert await c.pull(count=10) == ["é", "c", "c", "b", "a"]

    run_virtual(scenario())


def test_a_changed_interaction_leaves_or_enters_the_head() -> None:
    """A property that the view selects or orders by is changed: the next pull goes by the new value."""

    async def scenario() -> None:
        async with clients(_times(), condition="ExternalId != 'no'", order="ExternalId") as c:
            first = await c.submit("b")
            second = await c.submit("no")
            await c.submit("c")
            assert await c.pull() == ["b"]
            await c.router.interaction.place_in_queue(interaction_id=first, queue="__BACK__")
            await c.media.interaction.change(interaction_id=first, external_id="d")
            await c.media.interaction.change(interaction_id=second, external_id="a")
            assert await c.pull(count=5) == ["a", "c", "d"]

    run_virtual(scenario())


def test_segments_give_no_more_than_their_limit() -> None:
    """Two of each segment at once; what is beyond comes when one has left routing, in exact order."""

    async def scenario() -> None:
        async with clients(_times(), segment_by="InteractionSubtype", segment_limit=2) as c:
            held = {}
            for count in range(30):  # fills more than the head
                held[f"a{count:02}"] = await c.submit(f"a{count:02}", interaction_subtype="A")
            await c.submit("b0", interaction_subtype="B")
            await c.submit("b1", interaction_subtype="B")
            assert await c.pull(count=10) == ["a00", "a01", "b0", "b1"]
            shown = (await c.media.view.list()).items[-1]
            assert (shown.segment_by, shown.segment_limit) == ("InteractionSubtype", 2)
            assert (shown.in_routing, shown.depth) == (4, 28)
            assert await c.pull(count=10) == []
            await c.submit("b2", interaction_subtype="B", priority=1)
            await c.submit("c0", interaction_subtype="C")
            assert await c.pull(count=10) == ["c0"]
            await c.router.interaction.stop(interaction_id=held["a00"])
            assert await c.pull(count=10) == ["a02"]
            await c.router.interaction.place_in_queue(interaction_id=held["a01"], queue="__BACK__")
            assert await c.pull(count=10) == ["a01"]

    run_virtual(scenario())


def test_a_freed_place_wakes_a_held_pull() -> None:
    """A pull that waits because the view's limit is reached gets the next one when one leaves."""

    async def scenario() -> None:
        times = _times()
        async with clients(times, max_interactions=1) as c:
            first = await c.submit("a")
            await c.submit("b")
            assert await c.pull(count=5) == ["a"]
            held = c.router.view.pull(view=VIEW, count=5, hold_s=9)
            await times.machine.sleep(1)
            await c.router.interaction.stop(interaction_id=first)
            assert names((await held).interactions) == ["b"]
            assert await c.pull() == []

    run_virtual(scenario())


def test_counters_of_segments_are_right_after_a_restart() -> None:
    """What agents are offered when the process ends still counts in the next one; what goes back does not."""

    async def scenario() -> None:
        times = _times()
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        fields: dict[str, Any] = {"segment_by": "InteractionSubtype", "segment_limit": 2}
        async with clients(times, database=store, **fields) as c:
            desk = await c.node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            for count in range(4):
                key = await c.submit(f"a{count}", interaction_subtype="A")
                if count == 0:
                    assert await c.pull() == ["a0"]
                    await c.router.interaction.deliver(interaction_id=key, agent="agent1")
        async with clients(times, database=store, epoch=2, **fields) as c:
            assert await c.pull(count=5) == ["a1"]
            assert await c.pull(count=5) == []

    run_virtual(scenario())


def test_counters_of_segments_are_right_after_a_failed_batch() -> None:
    """A pull whose commit fails has taken nothing from the segment's limit."""

    async def scenario() -> None:
        store = FailingDatabase()
        async with clients(
            _times(), database=store, segment_by="InteractionSubtype", segment_limit=1
        ) as c:
            await c.submit("a", interaction_subtype="A")
            store.refusals = 2
            with pytest.raises(PacelineError, match="database_unavailable"):
                await c.pull()
            assert await c.pull() == ["a"]
            await c.submit("b", interaction_subtype="A")
            assert await c.pull() == []

    run_virtual(scenario())


def test_a_changed_limit_counts_what_is_in_routing_already() -> None:
    """A limit that is set while routers hold some of the view holds at once."""

    async def scenario() -> None:
        async with clients(_times()) as c:
            for name in "abc":
                await c.submit(name)
            assert await c.pull(count=2) == ["a", "b"]
            c.node.configuration.change(_site(max_interactions=2).build())
            assert await c.pull(count=2) == []
            c.node.configuration.change(_site(max_interactions=3).build())
            assert await c.pull(count=2) == ["c"]

    run_virtual(scenario())


def test_a_scheduled_interaction_is_not_shown_before_its_time() -> None:
    """Neither pulled nor counted before; then at its place in the order, also by a pull that waits."""

    async def scenario() -> None:
        times = _times()
        async with clients(times) as c:
            await c.submit("later", scheduled_at=to_text(START + 5_000), priority=1)
            await c.submit("much later", scheduled_at=to_text(START + 60_000))
            await c.submit("now")
            assert (await c.media.view.list()).items[-1].depth == 1
            taken = await c.media.snapshot.take(view=VIEW, lock=False)
            assert taken.size == 1
            assert await c.pull(count=5) == ["now"]
            asked_at = times.business.now()
            assert await c.pull(count=5, hold_s=10) == ["later"]
            assert START + 5_000 <= times.business.now() < START + 5_200
            assert asked_at < START + 5_000
            await times.business.sleep(60)
            assert await c.pull(count=5) == ["much later"]

    run_virtual(scenario())


def test_scheduled_ones_wait_over_a_restart() -> None:
    """A new process shows them when they are due, not before."""

    async def scenario() -> None:
        times = _times()
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with clients(times, database=store) as c:
            await c.submit("later", scheduled_at=to_text(START + 30_000))
        async with clients(times, database=store, epoch=2) as c:
            assert await c.pull() == []
            await times.business.sleep(31)
            assert await c.pull() == ["later"]

    run_virtual(scenario())


def test_many_that_become_due_come_in_order() -> None:
    """More than the head holds become due at once: exact order all the same."""

    async def scenario() -> None:
        times = _times()
        async with clients(times) as c:
            assert await c.pull() == []
            for count in range(30):
                await c.submit(
                    f"s{count:02}", scheduled_at=to_text(START + 5_000), priority=count % 3
                )
            await times.business.sleep(6)
            found = await c.pull(count=40)
            assert found == [f"s{n:02}" for p in (2, 1, 0) for n in range(30) if n % 3 == p]

    run_virtual(scenario())


def test_scheduled_ones_have_their_own_condition_and_order() -> None:
    """Due ones that meet the scheduling condition come first, by the scheduling order."""

    async def scenario() -> None:
        times = _times()
        async with clients(
            times,
            condition="Priority = 0",
            scheduling_condition="Priority >= 5",
            scheduling_order="Priority DESC, ScheduledAt",
        ) as c:
            await c.submit("plain")
            await c.submit("dropped", priority=7)
            await c.submit("unfit", scheduled_at=to_text(START - 1000))
            for name, second, priority in (("x", 3, 5), ("y", 2, 5), ("z", 4, 6), ("w", 99, 9)):
                await c.submit(name, priority=priority, scheduled_at=to_text(START + second * 1000))
            assert await c.pull() == ["plain"]
            await c.submit("plain 2")
            await times.business.sleep(5)
            assert await c.pull(count=9) == ["z", "y", "x", "plain 2"]

    run_virtual(scenario())


def test_a_condition_on_the_age_is_looked_at_with_every_pull() -> None:
    """With check_interval 0 an interaction is there as soon as it is old enough, also for a waiting pull."""

    async def scenario() -> None:
        times = _times()
        async with clients(
            times, condition="_age() >= 4", order="ExternalId DESC", check_interval=0
        ) as c:
            await c.submit("a")
            await c.submit("b")
            assert await c.pull(count=5) == []
            assert await c.pull(count=1, hold_s=9) == ["b"]
            assert times.business.now() - START < 6_000
            assert await c.pull(count=5) == ["a"]

    run_virtual(scenario())


def test_check_interval_says_how_often_time_is_looked_at() -> None:
    """With 60 s the selection stands for 60 s of business time, then it is made anew."""

    async def scenario() -> None:
        times = _times()
        async with clients(times, condition="_age() >= 4", check_interval=60) as c:
            await c.submit("a")
            assert await c.pull() == []
            await times.business.sleep(30)
            assert await c.pull() == []
            await times.business.sleep(31)
            assert await c.pull() == ["a"]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"condition": "Prio > 1"}, "condition", "line 1, column 1: there is no property Prio"),
        ({"condition": "Queue = 'Nowhere'"}, "condition", "queue 'Nowhere' does not exist"),
        ({"order": "Queue"}, "order", "Queue gives no order"),
        ({"scheduling_condition": "x = 1"}, "scheduling_condition", "no property x"),
        ({"scheduling_order": "x"}, "scheduling_order", "no property x"),
        ({"segment_by": "ReceivedAt"}, "segment_by", "instant, which cannot segment"),
        ({"segment_limit": 1}, "segment_by", "name the property"),
    ],
)
def test_a_view_that_cannot_be_read_is_a_finding(
    fields: dict[str, Any], field: str, said: str
) -> None:
    """Nothing is pulled from it; the finding names view, field, place and what to do."""

    async def scenario() -> None:
        async with clients(_times(), **fields) as c:
            (finding,) = [f for f in c.node.server.findings() if f.object == f"view '{VIEW}'"]
            assert finding.field == field
            assert said in finding.consequence
            assert finding.fix
            with pytest.raises(PacelineError, match="see /v1/findings"):
                await c.pull()

    run_virtual(scenario())

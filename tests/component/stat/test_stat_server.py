"""The Stat Server behind the real session code, on the virtual loop with SQLite inline."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model import events as names
from paceline.runtime.life_cycle import State
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.stat import StatServerClient
from paceline.servers.stat.options import OPTIONS
from paceline.servers.stat.server import StatServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.statistic import (
    AgentTargetState,
    Definition,
    OpenStatistic,
    StatisticChanges,
    StreamStatistics,
)
from tests.component.stat.event_log import EventLog
from tests.fakes.configuration import FixedConfiguration
from tests.fakes.served import Served
from tests.unit.stat.story import START, site

ENTERED = OpenStatistic(
    object_kind="Queue",
    object="VQ1",
    definition=Definition(category="TotalNumber", main_mask="CallEntered", profile="Ever"),
)
CURRENT = OpenStatistic(object_kind="Queue", object="VQ1", stat_type="PACS_VQ_Current")
GROUP = OpenStatistic(
    object_kind="GroupAgents",
    object="left,right",
    definition=Definition(category="CurrentTargetState"),
    notification="ChangesBased",
)


class Bench:
    """Everything around one Stat Server; servers may follow one another on the same database."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.times: Times = virtual_times(Millis(START))
        self.log = EventLog(self.times)
        self.builder = site()
        self.configuration = FixedConfiguration(self.builder.build())
        self.database: Database = open_database(
            from_url("sqlite://"), times=self.times, inline=True
        )
        stack.push_async_callback(self.database.close)
        stack.push_async_callback(self.log.served.close)

    async def server(self) -> StatServer:
        """A started Stat Server."""
        await upgrade(self.database, ["stat"])
        server = StatServer(
            name="stat",
            settings=LiveSettings(OPTIONS),
            times=self.times,
            configuration=self.configuration,
            database=self.database,
            interaction_servers={"ixn": await self.log.client()},
            metrics=Metrics("stat"),
        )
        await server.start()
        self.stack.push_async_callback(server.stop)
        await self.pause()
        return server

    async def client(self, server: StatServer) -> StatServerClient:
        """A session with the server."""
        served = Served("stat", server.handlers, self.times)
        self.stack.push_async_callback(served.close)
        return StatServerClient(await served.connect("pacing"))

    async def pause(self, seconds: float = 1.0) -> None:
        """Let everything happen that is under way."""
        await self.times.machine.sleep(seconds)

    async def publish(self) -> None:
        """The interaction server commits what the story told."""
        self.log.publish()
        await self.pause()


def on_bench(act: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            await act(Bench(stack))

    run_virtual(main())


async def ids_of(client: StatServerClient, *items: OpenStatistic) -> tuple[int, ...]:
    answer = await client.statistic.open(items=items)
    assert [item.error for item in answer.items] == [None] * len(items)
    return tuple(item.id or 0 for item in answer.items)


def test_open_peek_close() -> None:
    """Opened statistics are read at one position; what cannot be opened says why, alone."""

    async def act(bench: Bench) -> None:
        server = await bench.server()
        client = await bench.client(server)
        answer = await client.statistic.open(
            items=(ENTERED, OpenStatistic(object_kind="Queue", object="VQ9"), CURRENT, ENTERED)
        )
        first, wrong, current, again = answer.items
        assert wrong.id is None and wrong.error is not None
        assert first.id == again.id
        bench.log.story.enter("i1", "VQ1")
        bench.log.story.enter("i2", "VQ1")
        await bench.publish()
        ids = (current.id or 0, first.id or 0)
        peeked = await client.statistic.peek(ids=ids)
        assert [item.value for item in peeked.items] == [2, 2]
        assert (peeked.position, peeked.is_live) == ("101:2", True)
        assert (await client.statistic.get(id=ids[1])).since == "2026-01-01T08:00:01.000Z"
        await client.statistic.close(id=ids[0])
        with pytest.raises(PacelineError, match="open it with"):
            await client.statistic.peek(ids=ids)

    on_bench(act)


def test_totals_survive_a_stop_and_a_crash() -> None:
    """After a stop, or a crash between checkpoints, totals and everything open continue exactly."""

    async def act(bench: Bench) -> None:
        server = await bench.server()
        client = await bench.client(server)
        ids = await ids_of(client, ENTERED, CURRENT)
        story = bench.log.story
        story.log_in("a1", "chat")
        story.enter("i1", "VQ1")
        await bench.publish()
        await bench.pause(5)
        story.enter("i2", "VQ1")
        story.invite("i2", "a1")
        bench.log.publish()
        await bench.pause(0.5)
        assert (await client.statistic.peek(ids=ids)).items[0].value == 2
        crashed = await bench.server()  # the first one neither stopped nor saved since
        client = await bench.client(crashed)
        assert await ids_of(client, ENTERED, CURRENT) == ids
        before = await client.statistic.peek(ids=ids)
        assert [item.value for item in before.items] == [2, 2]
        await server.stop()
        await crashed.stop()
        story.accept("i2", "a1", "VQ1")
        bench.log.publish()
        client = await bench.client(await bench.server())
        ids = await ids_of(client, ENTERED, CURRENT, GROUP)
        entered, current, group = (await client.statistic.peek(ids=ids)).items
        assert (entered.value, current.value) == (2, 1)
        assert entered.since == before.items[0].since
        assert group.state is not None
        assert group.state.agents[0].media["chat"].current == 1

    on_bench(act)


def test_stream_gives_everything_first_and_then_changes() -> None:
    """Full notices come first; applied changes give what a peek gives, at the peek's position."""

    async def act(bench: Bench) -> None:
        client = await bench.client(await bench.server())
        story = bench.log.story
        story.log_in("a1", "chat")
        await bench.publish()
        (group,) = await ids_of(client, GROUP)
        shown: dict[str, AgentTargetState] = {}
        heard: list[StatisticChanges] = []

        def apply(notice: StatisticChanges) -> None:
            heard.append(notice)
            shown.update({state.agent: state for state in notice.changed})
            for agent in notice.removed:
                del shown[agent]

        client.statistic.subscribe(lambda: StreamStatistics(ids=(group,)), apply)
        await bench.pause()
        assert set(shown) == {"a1"}
        story.log_in("a3", "chat")
        story.invite("i1", "a3")
        story.event(names.AGENT_LOGOUT, agent="a1")
        bench.log.publish()
        await bench.pause()
        peeked = await client.statistic.peek(ids=(group,))
        assert peeked.items[0].state is not None
        assert tuple(shown[name] for name in sorted(shown)) == peeked.items[0].state.agents
        assert heard[-1].position == peeked.position
        bench.builder.replace(bench.configuration.snapshot.agent_groups[1, "right"][0], agents=())
        bench.configuration.change(bench.builder.build())
        await bench.pause()
        assert shown == {}

    on_bench(act)


def test_only_changes_based_ones_are_streamed() -> None:
    """Of the ids given to the stream those opened NoNotification send nothing."""

    async def act(bench: Bench) -> None:
        client = await bench.client(await bench.server())
        ids = await ids_of(client, ENTERED, GROUP)
        heard: list[int] = []
        client.statistic.subscribe(lambda: StreamStatistics(ids=ids), lambda n: heard.append(n.id))
        await bench.pause()
        bench.log.story.enter("i1", "VQ1")
        await bench.publish()
        assert set(heard) == {ids[1]}

    on_bench(act)


def test_lost_link_is_told_and_caught_up() -> None:
    """While a source is away or the backlog is read answers are not live; nothing is missed."""

    async def act(bench: Bench) -> None:
        server = await bench.server()
        client = await bench.client(server)
        (entered,) = await ids_of(client, ENTERED)
        assert server.state is State.STARTED
        await bench.log.cut()
        for number in range(10):
            bench.log.story.enter(f"i{number}", "VQ1")
        bench.log.shown = 10
        await bench.pause(0.001)
        assert not (await client.statistic.peek(ids=(entered,))).is_live
        assert server.state is State.UNAVAILABLE
        assert [finding.object for finding in server.findings()] == ["virtual queue 77", "ixn"]
        await bench.pause(5)
        peeked = await client.statistic.peek(ids=(entered,))
        assert (peeked.items[0].value, peeked.is_live) == (10, True)
        position = await client.stat.position()
        assert (position.events, position.nodes[0].last_event_id, position.is_live) == (
            10,
            10,
            True,
        )
        assert server.state is State.STARTED

    on_bench(act)


def test_midnight_is_told_before_a_peek_shows_it() -> None:
    """The total of the day falls to zero at midnight for a subscriber and a peek alike."""

    async def act(bench: Bench) -> None:
        client = await bench.client(await bench.server())
        day = OpenStatistic(
            object_kind="Queue",
            object="VQ1",
            definition=Definition(category="TotalNumber", main_mask="CallEntered"),
            notification="ChangesBased",
        )
        ids = await ids_of(client, day)
        heard: list[float | None] = []
        client.statistic.subscribe(
            lambda: StreamStatistics(ids=ids), lambda n: heard.append(n.value)
        )
        await bench.pause()
        bench.log.story.enter("i1", "VQ1")
        await bench.publish()
        await bench.pause(16 * 3_600)
        assert heard == [0, 1]
        assert (await client.statistic.get(id=ids[0])).value == 0
        assert heard == [0, 1, 0]

    on_bench(act)


def test_totals_without_users_are_kept_for_the_retention() -> None:
    """A closed total goes on being counted; after the retention it begins at zero."""

    async def act(bench: Bench) -> None:
        server = await bench.server()
        server.settings.update({"statistics": {"retention": "1h"}})
        client = await bench.client(server)
        (entered,) = await ids_of(client, ENTERED)
        await client.statistic.close(id=entered)
        bench.log.story.enter("i1", "VQ1")
        await bench.publish()
        await ids_of(client, ENTERED)
        assert (await client.statistic.get(id=entered)).value == 1
        await bench.pause(2 * 3_600)
        bench.log.story.enter("i2", "VQ1")
        await bench.publish()
        assert await ids_of(client, ENTERED) == (entered,)
        assert (await client.statistic.get(id=entered)).value == 0

    on_bench(act)


def test_database_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that fails is written later, with everything since."""

    async def act(bench: Bench) -> None:
        client = await bench.client(await bench.server())
        (entered,) = await ids_of(client, ENTERED)
        whole: Any = bench.database.transaction

        async def away(work: object) -> None:
            raise PacelineError("database_unavailable", "away for the test")

        monkeypatch.setattr(bench.database, "transaction", away)
        bench.log.story.enter("i1", "VQ1")
        await bench.publish()
        await bench.pause(10)
        monkeypatch.setattr(bench.database, "transaction", whole)
        await bench.pause(5)
        rows = await bench.database.fetch("SELECT value FROM stat.totals")
        assert [row[0] for row in rows] == [1]
        assert (await client.statistic.get(id=entered)).value == 1

    on_bench(act)


def test_limit_is_said() -> None:
    """Beyond the option statistics.maximum the answer names the option."""

    async def act(bench: Bench) -> None:
        server = await bench.server()
        server.settings.update({"statistics": {"maximum": 1}})
        client = await bench.client(server)
        answer = await client.statistic.open(items=(ENTERED, CURRENT))
        assert answer.items[0].id is not None
        assert "statistics.maximum" in (answer.items[1].error or "")

    on_bench(act)

"""What others learn of agents and places: lists, state reporting, topics, custom events, ping."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.database import Row
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.agent import (
    OPERATIONS,
    PlaceAgentState,
    PlaceAgentStates,
    WatchAgents,
)
from paceline.wire.operations.topic import SubscribeTopics, UserEvent
from paceline.wire.server.self_report import self_report_handlers
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)


def _times() -> Times:
    return virtual_times(START)


class _AwayDatabase(FailingDatabase):
    """One that answers no question while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        if self.is_away:
            raise PacelineError("database_unavailable", "the test takes it away")
        return await super().fetch(sql, *args)


class _Reporting:
    """A reporting client that applies what it is told."""

    def __init__(self) -> None:
        self.shown: dict[str, PlaceAgentState] = {}
        self.notices = 0

    def take(self, notice: PlaceAgentStates) -> None:
        self.notices += 1
        if notice.is_whole:
            self.shown = {}
        self.shown |= {item.agent: item for item in notice.items}
        for agent in notice.gone:
            del self.shown[agent]


async def _reporting(node: Node, place: str | None = None) -> _Reporting:
    client = await node.client("reporting", "reporting")
    seen = _Reporting()
    client.agent.subscribe(lambda: WatchAgents(place=place), seen.take)
    await node.served.times.machine.sleep(0.1)
    return seen


def test_places_are_listed_with_their_agents() -> None:
    """By name, page by page; a lost agent is still there and not connected."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, lost = await node.client("desk", "agent"), await node.client("lost", "agent")
            await desk.agent.login(agent="agent1", place="place2")
            await lost.agent.login(agent="agent2", place="place3")
            await lost.connection.close()
            await times.machine.sleep(1)
            first = await desk.place.list(limit=2)
            assert not first.complete
            rest = await desk.place.list(limit=2, continuation=first.continuation)
            assert [(p.name, p.agent, p.is_connected) for p in (*first.items, *rest.items)] == [
                ("place1", None, False),
                ("place2", "agent1", True),
                ("place3", "agent2", False),
                ("place4", None, False),
            ]

    run_virtual(scenario())


def test_state_reporting_begins_with_all_and_goes_on_with_changes() -> None:
    """What a client applied is what a fresh client gets, after each change and after a logout."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", place="place1", media=("chat",))
            seen = await _reporting(node)
            assert seen.shown["agent1"].place == "place1"
            for act in (
                lambda: desk.media.ready(agent="agent1", media="chat"),
                lambda: desk.agent.login(agent="agent2"),
                lambda: desk.agent.dnd_on(agent="agent1", reason="meeting"),
                lambda: desk.media.not_ready(agent="agent1", media="chat", reason="lunch"),
                lambda: desk.agent.logout(agent="agent2"),
            ):
                await act()
                await times.machine.sleep(0.1)
                assert seen.shown == (await _reporting(node)).shown
            assert seen.notices == 6

    run_virtual(scenario())


def test_state_reporting_of_one_place() -> None:
    """Only who comes to and leaves this place is told; an unknown place is refused."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            seen = await _reporting(node, "place1")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent2", place="place2")
            await desk.agent.login(agent="agent1", place="place1")
            await times.machine.sleep(0.1)
            assert list(seen.shown) == ["agent1"]
            await desk.agent.logout(agent="agent1")
            await times.machine.sleep(0.1)
            assert (seen.shown, seen.notices) == ({}, 3)
            with pytest.raises(PacelineError, match="place 'nowhere' does not exist"):
                await desk.connection.call(OPERATIONS["agent.watch"], WatchAgents(place="nowhere"))

    run_virtual(scenario())


async def _listen(client: InteractionServerClient, topic: str) -> list[UserEvent]:
    seen: list[UserEvent] = []
    client.topic.subscribe(lambda: SubscribeTopics(topic=topic), seen.append)
    return seen


def test_who_listens_to_a_topic_gets_what_is_published() -> None:
    """Listeners of the topic, once each, no others; after the session's end nobody."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            one, two = await node.client("one", "agent"), await node.client("two", "agent")
            wanted = [await _listen(client, "agent.agent1") for client in (one, two)]
            other = await _listen(two, "agent.agent2")
            await times.machine.sleep(0.1)
            server = await node.client("outbound", "media_server")
            content = msgspec.Raw(b'{"phone":"+49"}')
            published = await server.topic.publish(topic="agent.agent1", content=content)
            await times.machine.sleep(0.1)
            assert published.receivers == 2
            assert [[bytes(e.content) for e in seen] for seen in wanted] == [[bytes(content)]] * 2
            assert other == []
            await one.connection.close()
            await two.connection.close()
            await times.machine.sleep(0.1)
            assert (await server.topic.publish(topic="agent.agent1")).receivers == 0
            with pytest.raises(PacelineError) as refusal:
                await server.topic.publish(topic="t", content=msgspec.Raw(b"[1]"))
            assert refusal.value.field == "content"

    run_virtual(scenario())


def test_a_custom_event_is_in_the_log() -> None:
    """EventCustomReporting with its number and payload, about an interaction, also a finished one."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            payload = msgspec.Raw(b'{"score":4}')
            await media.event.distribute(event=77, interaction_id=key, payload=payload)
            await media.interaction.stop(interaction_id=key)
            await media.event.distribute(
                event=78, interaction_id=key, agent="agent1", reason="survey"
            )
            await media.event.distribute(event=79)
            log = (await media.event.read(limit=100)).items
            told = [e for e in log if e.name == "EventCustomReporting"]
            assert [(e.interaction_id, e.agent, e.reason) for e in told] == [
                (key, None, None),
                (key, "agent1", "survey"),
                (None, None, None),
            ]
            assert msgspec.json.decode(told[0].data) == {
                "media_type": "chat",
                "event": 77,
                "payload": {"score": 4},
            }
            for wrong, field in (
                ({"interaction_id": "nothing"}, "interaction_id"),
                ({"agent": "nobody"}, "agent"),
                ({"payload": msgspec.Raw(b"4")}, "payload"),
            ):
                with pytest.raises(PacelineError) as refusal:
                    await media.event.distribute(event=80, **wrong)
                assert refusal.value.field == field
            assert len((await media.event.read(limit=100)).items) == len(log)

    run_virtual(scenario())


def test_ping_tells_the_nodes_state() -> None:
    """Started; its database away; another process has taken the node: each is told by the node's code."""

    async def scenario() -> None:
        times, database = _times(), _AwayDatabase()
        async with running_node(times, database=database) as node:
            handlers = self_report_handlers(node.server, "node", "interaction", times, tuple)
            served = Served("interaction", node.server.handlers | handlers, times)
            client = InteractionServerClient(await served.connect("monitor", "operator"))
            assert (await client.server.ping()).nodes == {"1": "started"}
            database.is_away = True
            assert (await client.server.ping()).nodes == {"1": "database_unavailable"}
            database.is_away = False
            node.server.set_unavailable("another process writes this node")
            assert (await client.server.ping()).nodes == {"1": "unavailable"}
            await served.close()
        await database.close()

    run_virtual(scenario())


def test_a_stream_of_states_is_told_of_a_restart() -> None:
    """A client that reconnects to the next process gets every session anew."""

    async def scenario() -> None:
        times = _times()
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", place="place1")
        async with running_node(times, database=store, epoch=2) as node:
            assert list((await _reporting(node)).shown) == ["agent1"]
        await store.close()

    run_virtual(scenario())

"""Places logged in alone, and who is where: every combination of place, agent, connection and grace."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.errors.table import ERRORS
from paceline.model.configuration import Place
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.wire.call import Principal
from paceline.wire.operations.agent import ConnectionClosed
from tests.acceptance.interaction.cast import START, VIEW, Heard
from tests.acceptance.interaction.test_agent_http import http_of
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node, small_site

CONNECTIONS = "allow-multiple-agent-connections"


class Desks:
    """Two connections at one node; each logs in what a test says."""

    def __init__(self, node: Node, times: Times) -> None:
        self.node = node
        self.times = times

    async def enter(self) -> None:
        """Connects both."""
        self.first = await self.node.client("first", "agent")
        self.second = await self.node.client("second", "agent")

    async def lose_first(self) -> None:
        """The first connection breaks; the grace begins."""
        await self.first.connection.close()
        await self.times.machine.sleep(1)


@asynccontextmanager
async def _desks(value: str = "true") -> AsyncIterator[Desks]:
    times = virtual_times(START)
    async with running_node(times, options={"settings": {CONNECTIONS: value}}) as node:
        desks = Desks(node, times)
        await desks.enter()
        yield desks


async def _refused(login: Awaitable[Any], name: str, field: str) -> None:
    with pytest.raises(PacelineError) as refusal:
        await login
    assert (refusal.value.name, refusal.value.field) == (name, field)


Login = Callable[[InteractionServerClient], Awaitable[Any]]


async def _place1(client: InteractionServerClient) -> Any:
    return await client.place.login(place="place1")


async def _agent1_at_place1(client: InteractionServerClient) -> Any:
    return await client.agent.login(agent="agent1", place="place1")


async def _agent1_at_place2(client: InteractionServerClient) -> Any:
    return await client.agent.login(agent="agent1", place="place2")


async def _agent2_at_place1(client: InteractionServerClient) -> Any:
    return await client.agent.login(agent="agent2", place="place1")


def test_the_errors_have_their_documented_numbers() -> None:
    """23004 place occupied, 23084 agent elsewhere, 23087 place in logout."""
    names = ("place_occupied", "agent_elsewhere", "place_in_logout")
    assert [ERRORS[name].log_number for name in names] == [23004, 23084, 23087]


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (_place1, _agent1_at_place1, "place_occupied"),
        (_agent1_at_place1, _place1, "place_occupied"),
        (_agent1_at_place1, _agent2_at_place1, "place_occupied"),
        (_agent1_at_place2, _agent1_at_place1, "agent_elsewhere"),
    ],
)
@pytest.mark.parametrize("value", ["true", "false"])
def test_who_comes_second_is_refused(first: Login, second: Login, name: str, value: str) -> None:
    """One at a place, an agent at one place; the refusal changes nothing, and after a logout there is room."""

    async def scenario() -> None:
        async with _desks(value) as desks:
            session = await first(desks.first)
            await _refused(second(desks.second), name, "place")
            (left,) = (await desks.second.agent.list()).items
            assert left.session_id == session.session_id
            await desks.first.agent.logout(agent=left.agent)
            assert (await second(desks.second)).place == "place1"

    run_virtual(scenario())


def test_an_agent_elsewhere_is_told_so_before_the_place_is_looked_at() -> None:
    """At place 2, to place 1 that is logged in alone: agent_elsewhere; forced, place_occupied, and it stays."""

    async def scenario() -> None:
        for value, name in (("true", "agent_elsewhere"), ("force-logout", "place_occupied")):
            async with _desks(value) as desks:
                await _place1(desks.first)
                await _agent1_at_place2(desks.second)
                await _refused(_agent1_at_place1(desks.second), name, "place")
                found = {a.agent: a.place for a in (await desks.second.agent.list()).items}
                assert found == {"agent1": "place2", "place1": "place1"}

    run_virtual(scenario())


def test_a_place_twice_over_one_connection_is_one_session() -> None:
    """As an agent's login: whatever the option, the same connection gets the same session, one event."""

    async def scenario() -> None:
        for value in ("true", "false", "force-logout"):
            async with _desks(value) as desks:
                first, again = await _place1(desks.first), await _place1(desks.first)
                assert first.session_id == again.session_id
                page = await desks.first.event.read(event_filter_by_id="EventAgentLogin")
                assert [(e.agent, e.place) for e in page.items] == [("place1", "place1")]

    run_virtual(scenario())


def test_a_place_twice_over_two_connections_follows_the_option() -> None:
    """True: both speak for it. False: occupied. Force-logout: the earlier connection speaks no longer."""

    async def scenario() -> None:
        async with _desks("true") as desks:
            first, second = await _place1(desks.first), await _place1(desks.second)
            assert first.session_id == second.session_id
        async with _desks("false") as desks:
            await _place1(desks.first)
            await _refused(_place1(desks.second), "place_occupied", "place")
        async with _desks("force-logout") as desks:
            closed: list[ConnectionClosed] = []
            desks.first.connection.on_notice("agent.connection_closed", closed.append)
            await _place1(desks.first)
            await _place1(desks.second)
            await desks.times.machine.sleep(0.1)
            assert [each.agent for each in closed] == ["place1"]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("lost", "other"),
    [
        (_place1, _agent1_at_place1),
        (_agent1_at_place1, _place1),
        (_agent1_at_place1, _agent2_at_place1),
    ],
)
def test_a_place_in_logout_says_so(lost: Login, other: Login) -> None:
    """Within the grace of a lost connection: place_in_logout with the time; after it there is room."""

    async def scenario() -> None:
        async with _desks() as desks:
            await lost(desks.first)
            await desks.lose_first()
            with pytest.raises(PacelineError, match="place_in_logout") as refusal:
                await other(desks.second)
            assert refusal.value.retry_after_s == 30
            await desks.times.machine.sleep(30)
            assert (await other(desks.second)).place == "place1"

    run_virtual(scenario())


def test_a_place_comes_back_within_the_grace() -> None:
    """The same session, and no logout."""

    async def scenario() -> None:
        async with _desks() as desks:
            session = await _place1(desks.first)
            await desks.lose_first()
            assert (await _place1(desks.second)).session_id == session.session_id
            await desks.times.machine.sleep(60)
            page = await desks.second.event.read(event_filter_by_id="EventAgentLogout")
            assert page.items == ()

    run_virtual(scenario())


def test_a_place_alone_works_as_an_agent_does() -> None:
    """Its name stands for the agent: ready, offered, accepted, stopped, logged out; each event names it."""

    async def scenario() -> None:
        async with _desks() as desks:
            desk, heard = desks.first, Heard(desks.first)
            await desk.place.login(place="place1", media=("chat",), ready=True)
            router = await desks.node.client("router", "router")
            media = await desks.node.client("chat")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view=VIEW)
            offer = await router.interaction.deliver(interaction_id=key, agent="place1")
            await desks.times.machine.sleep(0.1)
            assert heard.last("invite").ticket == offer.ticket
            await desk.interaction.accept(interaction_id=key, ticket=offer.ticket, agent="place1")
            found = await media.interaction.get(interaction_id=key)
            assert (found.agent, found.place) == ("place1", "place1")
            (shown,) = (await desk.place.list(limit=1)).items
            assert (shown.name, shown.agent) == ("place1", "place1")
            await desk.interaction.stop(interaction_id=key, agent="place1")
            await desk.media.not_ready(agent="place1", media="chat", reason="lunch")
            await desk.agent.logout(agent="place1")
            page = await media.event.read(limit=100)
            told = {e.name for e in page.items if (e.agent, e.place) == ("place1", "place1")}
            assert {
                "EventAgentLogin",
                "EventAgentInvited",
                "EventPartyAdded",
                "EventNotReadyForMedia",
                "EventAgentLogout",
            } <= told
            with pytest.raises(PacelineError, match="invalid_attribute"):
                await desk.media.ready(agent="place1", media="chat")

    run_virtual(scenario())


def test_a_place_alone_outlives_a_restart() -> None:
    """Its session, what it handles and its media are there again, under its name."""

    async def scenario() -> None:
        times = virtual_times(START)
        database = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=database) as node:
            desk = await node.client("desk", "agent")
            await desk.place.login(place="place1", media=("chat",))
            submitted = await desk.interaction.submit(
                media_type="chat", queue="Chats", agent="place1"
            )
            key = submitted.interaction_id
            async with running_node(times, database=database, epoch=2) as heir:
                desk = await heir.client("desk", "agent")
                session = await desk.place.login(place="place1")
                assert session.handling == (key,)
                assert [each.media_type for each in session.media] == ["chat"]
                await desk.interaction.stop(interaction_id=key, agent="place1")
        await database.close()

    run_virtual(scenario())


def test_what_cannot_be_logged_in_as_a_place() -> None:
    """A place that is not there; one that has an agent's name; anything, by one who is an agent only."""

    async def scenario() -> None:
        site = small_site()
        site.add("places", "agent1", Place())
        times = virtual_times(START)
        async with running_node(times, site=site) as node:
            desk = await node.client("desk", "agent")
            await _refused(desk.place.login(place="nowhere"), "invalid_attribute", "place")
            await _refused(desk.place.login(place="agent1"), "invalid_attribute", "place")
            agent = Principal(name="agent2", kind="person", access_groups=("agent",))
            served = Served("interaction", node.server.handlers, times, principal=agent)
            own = InteractionServerClient(await served.connect("own desk", "agent"))
            await _refused(own.place.login(place="place1"), "not_allowed", "place")
            await served.close()

    run_virtual(scenario())


def test_a_place_logs_in_over_http() -> None:
    """The route of the manual, with reason and media; its name ends the session as an agent's would."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node, http_of(node) as http:
            body = {"media": ["chat"], "ready": True, "reason": "counter", "reason_code": 4}
            answer = await http.post("/v1/places/place1/login", json=body)
            session = answer.json()
            assert (answer.status_code, session["agent"], session["place"]) == (
                200,
                "place1",
                "place1",
            )
            assert (await http.post("/v1/agents/place1/logout", json={})).is_success
            assert (await http.get("/v1/agents")).json()["items"] == []

    run_virtual(scenario())

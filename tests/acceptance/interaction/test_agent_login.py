"""Logins: places, several connections of one agent, many agents on one link, seats, and what a restart keeps."""

import asyncio
from functools import partial

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.lane import ATTEMPTS
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.agent import AgentSession, ConnectionClosed
from paceline.wire.operations.event import Event
from paceline.wire.operations.interaction import Invite
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import Node, running_node, small_site

START = Millis(1_000_000_000_000)
CONNECTIONS = "allow-multiple-agent-connections"


def _times() -> Times:
    return virtual_times(START)


async def _log(client: InteractionServerClient) -> list[Event]:
    return list((await client.event.read(limit=1000)).items)


async def _closings(client: InteractionServerClient) -> list[ConnectionClosed]:
    seen: list[ConnectionClosed] = []
    client.connection.on_notice("agent.connection_closed", seen.append)
    return seen


def _note(invites: list[str], who: str, _invite: Invite) -> None:
    invites.append(who)


async def _sessions(node: Node) -> dict[str, AgentSession]:
    client = await node.client("watcher", "operator")
    return {session.agent: session for session in (await client.agent.list()).items}


def test_two_agents_cannot_be_at_one_place() -> None:
    """The second agent at a place gets place_occupied and no session; another place is fine."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", place="place1")
            with pytest.raises(PacelineError, match="place_occupied") as refusal:
                await desk.agent.login(agent="agent2", place="place1")
            assert (refusal.value.number, refusal.value.field) == (2506, "place")
            await desk.agent.login(agent="agent2", place="place2")
            assert {a: s.place for a, s in (await _sessions(node)).items()} == {
                "agent1": "place1",
                "agent2": "place2",
            }

    run_virtual(scenario())


def test_one_agent_cannot_be_at_two_places() -> None:
    """A login at another place gets agent_elsewhere; at the same place it is the same session."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            first = await desk.agent.login(agent="agent1", place="place1")
            with pytest.raises(PacelineError, match="agent_elsewhere") as refusal:
                await desk.agent.login(agent="agent1", place="place2")
            assert refusal.value.number == 2507
            again = await desk.agent.login(agent="agent1", place="place1")
            assert again.session_id == first.session_id
            logins = [e for e in await _log(desk) if e.name == "EventAgentLogin"]
            assert len(logins) == 1

    run_virtual(scenario())


def test_a_place_whose_agent_is_being_logged_out_says_so() -> None:
    """Within the grace of a lost agent the place is in logout; after it another agent may sit there."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            lost, desk = await node.client("lost", "agent"), await node.client("desk", "agent")
            await lost.agent.login(agent="agent1", place="place1")
            await lost.connection.close()
            await times.machine.sleep(1)
            with pytest.raises(PacelineError, match="place_in_logout") as refusal:
                await desk.agent.login(agent="agent2", place="place1")
            assert refusal.value.number == 2508
            assert refusal.value.retry_after_s == 30
            await times.machine.sleep(31)
            assert (await desk.agent.login(agent="agent2", place="place1")).place == "place1"

    run_virtual(scenario())


def test_several_connections_share_one_session_by_default() -> None:
    """Default true: each connection gets each notice once; the session lasts until the last one goes."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desks = [await node.client(f"desk{count}", "agent") for count in range(3)]
            invites: list[str] = []
            for count, desk in enumerate(desks):
                desk.connection.on_notice(
                    "interaction.invite", partial(_note, invites, f"desk{count}")
                )
                await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            media = await node.client("chat")
            router = await node.client("router", "router")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await router.interaction.deliver(interaction_id=key, agent="agent1")
            await times.machine.sleep(0.1)
            assert sorted(invites) == ["desk0", "desk1", "desk2"]
            await desks[0].connection.close()
            await desks[1].connection.close()
            await times.machine.sleep(60)
            assert (await _sessions(node))["agent1"].is_connected
            await desks[2].connection.close()
            await times.machine.sleep(60)
            assert await _sessions(node) == {}
            names = [e.name for e in await _log(media)]
            assert (names.count("EventAgentLogin"), names.count("EventAgentLogout")) == (1, 1)

    run_virtual(scenario())


def test_a_second_connection_is_refused_when_one_is_all() -> None:
    """False: agent_elsewhere for a second connection, not for the same one, not once it has gone."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, options={"settings": {CONNECTIONS: "false"}}) as node:
            first, second = await node.client("one", "agent"), await node.client("two", "agent")
            await first.agent.login(agent="agent1", place="place1")
            await first.agent.login(agent="agent1", place="place1")
            with pytest.raises(PacelineError, match="agent_elsewhere") as refusal:
                await second.agent.login(agent="agent1", place="place1")
            assert refusal.value.field == "agent"
            await first.connection.close()
            await times.machine.sleep(1)
            await second.agent.login(agent="agent1", place="place1")
            await second.agent.logout(agent="agent1")
            third = await node.client("three", "agent")
            await third.agent.login(agent="agent1", place="place1")

    run_virtual(scenario())


def test_force_logout_closes_the_earlier_connection() -> None:
    """The new connection has the session alone; the earlier one is told and hears nothing more."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, options={"settings": {CONNECTIONS: "force-logout"}}) as node:
            first, second = await node.client("one", "agent"), await node.client("two", "agent")
            closed = await _closings(first)
            before = await first.agent.login(agent="agent1", place="place1", media=("chat",))
            after = await second.agent.login(agent="agent1", place="place1")
            await times.machine.sleep(0.1)
            assert after.session_id == before.session_id
            assert [(c.agent, c.session_id, c.reason) for c in closed] == [
                ("agent1", before.session_id, "agent logs in as a new client")
            ]
            await first.connection.close()
            await times.machine.sleep(60)
            assert (await _sessions(node))["agent1"].is_connected

    run_virtual(scenario())


def test_force_logout_moves_the_agent_to_another_place() -> None:
    """A login elsewhere ends the earlier session: what the agent handled waits again."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, options={"settings": {CONNECTIONS: "force-logout"}}) as node:
            first, second = await node.client("one", "agent"), await node.client("two", "agent")
            closed = await _closings(first)
            await first.agent.login(agent="agent1", place="place1", media=("chat",), ready=True)
            media = await node.client("chat")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await first.view.pull(view="Chats view", agent="agent1")
            moved = await second.agent.login(agent="agent1", place="place2")
            assert (moved.place, moved.media, moved.handling) == ("place2", (), ())
            assert (await media.interaction.get(interaction_id=key)).state == "queued"
            await times.machine.sleep(0.1)
            assert len(closed) == 1
            names = [(e.name, e.place) for e in await _log(media) if "AgentLog" in e.name]
            assert names == [
                ("EventAgentLogin", "place1"),
                ("EventAgentLogout", "place1"),
                ("EventAgentLogin", "place2"),
            ]

    run_virtual(scenario())


def test_the_option_on_connections_is_taken_live() -> None:
    """Changed to false, the next second connection is refused; those that are there stay."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desks = [await node.client(f"desk{count}", "agent") for count in range(3)]
            await desks[0].agent.login(agent="agent1")
            await desks[1].agent.login(agent="agent1")
            node.settings.update({"settings": {CONNECTIONS: "false"}})
            with pytest.raises(PacelineError, match="agent_elsewhere"):
                await desks[2].agent.login(agent="agent1")
            assert (await _sessions(node))["agent1"].is_connected

    run_virtual(scenario())


def test_login_control_ignores_the_place() -> None:
    """ignore: the agent is at a place named as the agent, whatever the login says; none: at the named one."""

    async def scenario() -> None:
        site = {"settings": {"agent-login-control": "ignore"}}
        async with running_node(_times(), options=site) as node:
            desk = await node.client("desk", "agent")
            first = await desk.agent.login(agent="agent1", place="place1")
            other = await desk.agent.login(agent="agent2", place="place1")
            assert (first.place, other.place) == ("agent1", "agent2")
            again = await desk.agent.login(agent="agent1", place="nowhere")
            assert again.session_id == first.session_id
            node.settings.update({"settings": {"agent-login-control": "none"}})
            with pytest.raises(PacelineError, match="place 'nowhere' does not exist"):
                await desk.agent.login(agent="agent3", place="nowhere")

    run_virtual(scenario())


@pytest.mark.slow
def test_a_gateway_carries_many_agents() -> None:
    """1,000 agents on one link: one that logs out ends alone, the link's loss ends all others."""

    async def scenario() -> None:
        times, site = _times(), small_site()
        people = 1000
        person = next(o.body for o in site.build().objects.values() if o.name == "agent1")
        for count in range(6, people + 1):
            site.add("persons", f"agent{count}", person)
        async with running_node(times, site=site) as node:
            gateway = await node.client("gateway", "proxy")
            await asyncio.gather(
                *(gateway.agent.login(agent=f"agent{count}") for count in range(1, people + 1))
            )
            await gateway.agent.logout(agent="agent7")
            media = await node.client("chat")
            logins = await media.agent.list(limit=1000)
            assert len(logins.items) == people - 1
            await gateway.connection.close()
            await times.machine.sleep(31)
            assert (await media.agent.list()).items == ()

    run_virtual(scenario())


def test_a_full_node_refuses_the_next_agent() -> None:
    """Seats: limit_reached for one agent too many, not for a second connection; a logout frees a seat."""

    async def scenario() -> None:
        seats = {"seats": {"ics_multi_media_agent_seat": 2}}
        async with running_node(_times(), options=seats) as node:
            desk, other = await node.client("desk", "agent"), await node.client("other", "agent")
            await desk.agent.login(agent="agent1")
            await desk.agent.login(agent="agent2")
            await other.agent.login(agent="agent2")
            with pytest.raises(PacelineError, match="limit_reached") as refusal:
                await desk.agent.login(agent="agent3")
            assert refusal.value.number == 2104
            await desk.agent.logout(agent="agent1")
            await desk.agent.login(agent="agent3")

    run_virtual(scenario())


def test_lowering_the_seats_logs_nobody_out() -> None:
    """Changed live from no limit to one: three agents stay, the fourth is refused."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            for count in (1, 2, 3):
                await desk.agent.login(agent=f"agent{count}")
            node.settings.update({"seats": {"ics_multi_media_agent_seat": 1}})
            with pytest.raises(PacelineError, match="limit_reached"):
                await desk.agent.login(agent="agent4")
            assert len(await _sessions(node)) == 3

    run_virtual(scenario())


def test_sessions_survive_a_restart() -> None:
    """Place, media, readiness, reasons, calls, disturbance and reservation are as before."""

    async def scenario() -> None:
        times = _times()
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(
                agent="agent1", place="place1", media=("chat", "email"), ready=True
            )
            await desk.media.not_ready(agent="agent1", media="email", reason="break")
            await desk.media.set_state(agent="agent1", media="voice", state="busy", calls=2)
            await desk.agent.dnd_on(agent="agent1", reason="meeting")
            media, router = await node.client("chat"), await node.client("router", "router")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await router.agent.reserve(agent="agent1", interaction_id=key, duration_s=60)
            before = (await _sessions(node))["agent1"]
        async with running_node(times, database=store, epoch=2) as node:
            after = (await _sessions(node))["agent1"]
            assert not after.is_connected
            desk = await node.client("desk", "agent")
            back = await desk.agent.login(agent="agent1", place="place1")
            assert back == before
            assert (back.reason, back.reserved_until) == ("meeting", "2001-09-09T01:47:40.100Z")
            assert [(m.media_type, m.ready, m.reason, m.calls) for m in back.media] == [
                ("chat", True, None, 0),
                ("email", False, "break", 0),
                ("voice", False, "busy", 2),
            ]
        await store.close()

    run_virtual(scenario())


def test_a_login_that_was_not_stored_leaves_no_connection_behind() -> None:
    """After a refused batch another connection may log the agent in, though only one is allowed."""

    async def scenario() -> None:
        database = FailingDatabase()
        options = {"settings": {CONNECTIONS: "false"}}
        async with running_node(_times(), database=database, options=options) as node:
            first, second = await node.client("one", "agent"), await node.client("two", "agent")
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await first.agent.login(agent="agent1")
            await second.agent.login(agent="agent1")
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await second.agent.logout(agent="agent1")
            with pytest.raises(PacelineError, match="agent_elsewhere"):
                await first.agent.login(agent="agent1")
        await database.close()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("seats", "limit"),
    [
        ({"pool": 2}, 2),
        ({"pool": 2, "ics_multi_media_agent_seat": 5}, 2),
        ({"pool": 5, "ics_multi_media_agent_seat": 2}, 5),
        ({"pool": 5, "ics_multi_media_agent_seat": 2, "mode": "documented"}, 2),
        ({"pool": 2, "ics_multi_media_agent_seat": 5, "mode": "documented"}, 2),
    ],
)
def test_the_pool_and_the_mode(seats: dict[str, str | int], limit: int) -> None:
    """cluster: the pool alone limits; documented: what the node takes out of the pool."""

    async def scenario() -> None:
        async with running_node(_times(), options={"seats": seats}) as node:
            desk = await node.client("desk", "agent")
            logins = [desk.agent.login(agent=f"agent{count}") for count in range(1, 6)]
            outcomes = await asyncio.gather(*logins, return_exceptions=True)
            assert sum(isinstance(outcome, AgentSession) for outcome in outcomes) == limit

    run_virtual(scenario())


def test_who_comes_back_is_told_of_what_rings() -> None:
    """A new connection gets the outstanding invitation once, with its ticket, and may accept."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            router = await node.client("router", "router")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            delivered = await router.interaction.deliver(interaction_id=key, agent="agent1")
            await desk.connection.close()
            await times.machine.sleep(5)
            desk = await node.client("desk", "agent")
            invites: list[Invite] = []
            desk.connection.on_notice("interaction.invite", invites.append)
            await desk.agent.login(agent="agent1")
            await desk.agent.login(agent="agent1")
            await times.machine.sleep(0.1)
            assert [(i.ticket, i.agent) for i in invites] == [(delivered.ticket, "agent1")]
            assert invites[0].interaction.interaction_id == key
            accepted = await desk.interaction.accept(
                interaction_id=key, ticket=invites[0].ticket, agent="agent1"
            )
            assert accepted.state == "handling"

    run_virtual(scenario())


def test_nothing_is_offered_to_an_agent_whose_connection_is_lost() -> None:
    """Within the grace a delivery is refused with invalid_target, so that nobody waits for the timeout."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            router = await node.client("router", "router")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await desk.connection.close()
            await times.machine.sleep(1)
            with pytest.raises(PacelineError, match="connection of agent 'agent1' is lost"):
                await router.interaction.deliver(interaction_id=key, agent="agent1")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1")
            await router.interaction.deliver(interaction_id=key, agent="agent1")

    run_virtual(scenario())


def test_an_agent_keeps_the_name_of_the_login() -> None:
    """Deleted while logged in, and a restart between: the logout's event tells the name the login told."""

    async def scenario() -> None:
        times, site = _times(), small_site()
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1")
        gone = next(o.id for o in site.build().objects.values() if o.name == "agent1")
        without = site.build().with_changes((), [("persons", gone)], seq=99)
        async with running_node(times, database=store, epoch=2) as node:
            node.configuration.change(without)
            await times.machine.sleep(31)
            media = await node.client("chat")
            told = [(e.name, e.agent) for e in await _log(media) if "AgentLog" in e.name]
            assert told == [("EventAgentLogin", "agent1"), ("EventAgentLogout", "agent1")]
        await store.close()

    run_virtual(scenario())

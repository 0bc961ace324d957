"""GET /v1/sessions: who is connected to a node, for those who operate it."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.wire.access import may
from paceline.wire.call import Principal
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.client_session import SessionRow
from tests.acceptance.interaction.cast import START, cast
from tests.acceptance.interaction.test_agent_http import http_of
from tests.fakes.served import Served
from tests.fakes.site import running_node


def test_a_session_shows_its_client_and_its_agents() -> None:
    """Client, kind, application, tenant, since, the agents with their places; nobody else's agents."""

    async def scenario() -> None:
        async with cast() as scene:
            await scene.settle(2.0)
            found = {row.client: row for row in (await scene.media.session.list()).items}
            assert set(found) == {"chat", "router", "desk of agent1", "desk of agent2"}
            desk = found["desk of agent1"]
            assert (desk.client_kind, desk.application, desk.user) == ("agent", "tester", None)
            assert [(each.agent, each.place) for each in desk.agents] == [("agent1", "place1")]
            assert (desk.tenant, desk.since[:19]) == (1, "2001-09-09T01:46:40")
            assert 2.0 <= desk.idle_s < 3.0
            assert found["chat"].idle_s == 0.0
            assert found["router"].agents == ()

    run_virtual(scenario())


def test_one_session_may_speak_for_many_agents() -> None:
    """A desktop server's one session lists all of them; who logs out is on it no longer."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            desks = await node.client("desks", "agent")
            for count in (1, 2, 3):
                await desks.agent.login(agent=f"agent{count}")
            await desks.agent.logout(agent="agent2")
            (row,) = (await desks.session.list()).items
            assert [each.agent for each in row.agents] == ["agent1", "agent3"]

    run_virtual(scenario())


def test_an_ended_session_is_not_listed() -> None:
    """The list has who is connected now; over plain HTTP nobody is."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node, http_of(node) as http:
            client = await node.client("chat")
            assert len((await http.get("/v1/sessions")).json()["items"]) == 1
            await client.connection.close()
            answer = (await http.get("/v1/sessions")).json()
            assert answer == {"items": []}

    run_virtual(scenario())


def test_pages_go_on_behind_the_last_one() -> None:
    """The longest connected first; each page goes on where the one before ended, whoever has left."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times) as node:
            clients = []
            for count in range(5):
                clients.append(await node.client(f"client {count}"))
                await times.machine.sleep(0.5)
            asker, seen, continuation = clients[0], list[SessionRow](), None
            while len(seen) < 5:
                page = await asker.session.list(limit=2, continuation=continuation)
                seen += page.items
                continuation = page.continuation
                assert page.complete is (continuation is None)
                if len(seen) == 2:
                    await clients[1].connection.close()
                    await times.machine.sleep(0.1)
            assert [row.client for row in seen] == [f"client {count}" for count in range(5)]
            with pytest.raises(PacelineError, match="limit is 0"):
                await asker.session.list(limit=0)

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("group", "is_allowed"),
    [("operator", True), ("supervisor", True), ("auditor", True), ("agent", False)],
)
def test_agents_do_not_see_who_is_connected(group: str, is_allowed: bool) -> None:
    """Those who look after the site list sessions; an agent does not."""
    who = Principal(name="somebody", kind="person", access_groups=(group,))
    assert may(who, OPERATIONS_OF["interaction"]["session.list"]) is is_allowed


def test_a_session_is_its_tenants() -> None:
    """Each tenant sees its own, and may not ask for another's."""

    async def scenario() -> None:
        times = virtual_times(START)
        other = Principal(
            name="other", kind="person", tenants=(2,), access_groups=("administrator",)
        )
        async with running_node(times) as node:
            ours = await node.client("ours")
            served = Served(
                "interaction",
                node.server.handlers,
                times,
                principal=other,
                on_session=node.server.session_began,
            )
            theirs = InteractionServerClient(await served.connect("theirs"))
            (row,) = (await theirs.session.list()).items
            assert (row.client, row.user, row.application, row.tenant) == (
                "theirs",
                "other",
                None,
                2,
            )
            assert [each.client for each in (await ours.session.list()).items] == ["ours"]
            with pytest.raises(PacelineError, match="no right on tenant 1"):
                await theirs.session.list(tenant=1)
            await served.close()

    run_virtual(scenario())

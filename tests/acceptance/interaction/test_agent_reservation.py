"""Reservation of an agent by a router, for an interaction that is there already."""

import asyncio

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
SECTION = "agent-reservation"


def _times() -> Times:
    return virtual_times(START)


async def _router(node: Node, name: str) -> tuple[InteractionServerClient, str]:
    """A router that has one chat in routing, and the chat."""
    media = await node.client("chat")
    await media.interaction.submit(media_type="chat", queue="Chats")
    router = await node.client(name, "router")
    pulled = await router.view.pull(view="Chats view")
    return router, pulled.interactions[0].interaction_id


async def _agent(node: Node, name: str = "agent1") -> None:
    desk = await node.client("desk", "agent")
    await desk.agent.login(agent=name, media=("chat",), ready=True)


def test_a_reserved_agent_is_refused_to_other_routers() -> None:
    """For 10,000 ms another router can neither reserve nor deliver; the holder delivers, which ends it."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            held = await one.agent.reserve(agent="agent1", interaction_id=mine)
            assert held.reserved_until == "2001-09-09T01:46:50.100Z"
            for refused in (
                two.agent.reserve(agent="agent1", interaction_id=other),
                two.interaction.deliver(interaction_id=other, agent="agent1"),
            ):
                with pytest.raises(PacelineError, match="reserved by 'one'") as refusal:
                    await refused
                assert refusal.value.number == 2512
            delivered = await one.interaction.deliver(interaction_id=mine, agent="agent1")
            await one.interaction.revoke(interaction_id=mine)
            assert delivered.state == "routing"
            await two.interaction.deliver(interaction_id=other, agent="agent1")

    run_virtual(scenario())


def test_a_reservation_ends_by_itself() -> None:
    """After reservation-time, changed live to two seconds, another router has the agent."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            node.settings.update({SECTION: {"reservation-time": 2000}})
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            await one.agent.reserve(agent="agent1", interaction_id=mine)
            await times.machine.sleep(1.9)
            with pytest.raises(PacelineError, match="agent_busy"):
                await two.interaction.deliver(interaction_id=other, agent="agent1")
            await times.machine.sleep(0.2)
            await two.interaction.deliver(interaction_id=other, agent="agent1")

    run_virtual(scenario())


def test_requests_that_meet_are_decided_by_priority() -> None:
    """Within 100 ms the highest priority gets the agent, though it came last; the first among equals."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            await _agent(node)
            routers = [await _router(node, name) for name in ("low", "high", "equal")]

            async def reserve(number: int, priority: int, after_s: float) -> str:
                router, key = routers[number]
                await times.machine.sleep(after_s)
                try:
                    await router.agent.reserve(
                        agent="agent1", interaction_id=key, priority=priority
                    )
                except PacelineError as refusal:
                    return refusal.name
                return "reserved"

            began = times.machine.monotonic()
            outcomes = await asyncio.gather(
                reserve(0, 1, 0.0), reserve(1, 5, 0.05), reserve(2, 5, 0.06)
            )
            assert list(outcomes) == ["agent_busy", "reserved", "agent_busy"]
            assert times.machine.monotonic() - began == pytest.approx(0.1, abs=0.01)

    run_virtual(scenario())


def test_without_collection_the_first_one_wins() -> None:
    """request-collection-time 0: no waiting, whoever comes later with a higher priority is refused."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, options={SECTION: {"request-collection-time": 0}}) as node:
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            began = times.machine.monotonic()
            await one.agent.reserve(agent="agent1", interaction_id=mine)
            assert times.machine.monotonic() == began
            with pytest.raises(PacelineError, match="agent_busy"):
                await two.agent.reserve(agent="agent1", interaction_id=other, priority=9)

    run_virtual(scenario())


def test_a_further_request_of_the_holder() -> None:
    """reject-subsequent-request true, the default: refused; false: it prolongs; others never may."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            await one.agent.reserve(agent="agent1", interaction_id=mine)
            with pytest.raises(PacelineError, match="agent_busy"):
                await one.agent.reserve(agent="agent1", interaction_id=mine)
            node.settings.update({SECTION: {"reject-subsequent-request": "false"}})
            await times.machine.sleep(5)
            await one.agent.reserve(agent="agent1", interaction_id=mine)
            await times.machine.sleep(6)
            with pytest.raises(PacelineError, match="agent_busy"):
                await two.agent.reserve(agent="agent1", interaction_id=other)

    run_virtual(scenario())


def test_a_duration_of_zero_cancels() -> None:
    """By the holder, also when nothing is reserved; not by another router."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            await one.agent.reserve(agent="agent1", interaction_id=mine, duration_s=60)
            with pytest.raises(PacelineError, match="agent_busy"):
                await two.agent.reserve(agent="agent1", interaction_id=other, duration_s=0)
            for _ in range(2):
                cancelled = await one.agent.reserve(
                    agent="agent1", interaction_id=mine, duration_s=0
                )
                assert cancelled.reserved_until is None
            await two.agent.reserve(agent="agent1", interaction_id=other)

    run_virtual(scenario())


def test_what_cannot_be_reserved() -> None:
    """An agent who is not logged in; for an interaction that waits, that another holds, that is unknown."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            await _agent(node)
            (one, mine), (_, other) = await _router(node, "one"), await _router(node, "two")
            media = await node.client("chat")
            waits = (
                await media.interaction.submit(media_type="chat", queue="Chats")
            ).interaction_id
            for agent, key, name in (
                ("agent2", mine, "invalid_target"),
                ("nobody", mine, "invalid_attribute"),
                ("agent1", waits, "not_waiting"),
                ("agent1", other, "not_owner"),
                ("agent1", "unknown", "not_found"),
            ):
                with pytest.raises(PacelineError) as refusal:
                    await one.agent.reserve(agent=agent, interaction_id=key)
                assert refusal.value.name == name
            desk = await node.client("desk", "agent")
            with pytest.raises(PacelineError, match="not_allowed"):
                await desk.agent.reserve(agent="agent1", interaction_id=mine)

    run_virtual(scenario())


def test_a_reservation_that_was_not_stored_holds_nobody() -> None:
    """After a database failure the router is told, and another one may reserve."""

    async def scenario() -> None:
        database = FailingDatabase()
        async with running_node(_times(), database=database) as node:
            await _agent(node)
            (one, mine), (two, other) = await _router(node, "one"), await _router(node, "two")
            database.refusals = 2
            with pytest.raises(PacelineError, match="database_unavailable"):
                await one.agent.reserve(agent="agent1", interaction_id=mine)
            await two.agent.reserve(agent="agent1", interaction_id=other)
        await database.close()

    run_virtual(scenario())

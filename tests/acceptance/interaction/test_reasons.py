"""Reasons as a text with a code: kept in events, shown in states and notices; a text alone is enough."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from tests.acceptance.interaction.cast import START, VIEW, Cast, cast
from tests.fakes.site import running_node

WHY: dict[str, Any] = {"reason": "wrong department", "reason_code": 17}


async def _not_ready(scene: Cast) -> None:
    await scene.desk1.media.not_ready(agent="agent1", media="chat", **WHY)


async def _media_reason(scene: Cast) -> None:
    await scene.desk1.media.change_reason(agent="agent1", media="chat", **WHY)


async def _agent_reason(scene: Cast) -> None:
    await scene.desk1.agent.change_reason(agent="agent1", **WHY)


async def _disturbed(scene: Cast) -> None:
    await scene.desk1.agent.dnd_on(agent="agent1", **WHY)


async def _logout(scene: Cast) -> None:
    await scene.desk1.agent.logout(agent="agent1", **WHY)


async def _stop(scene: Cast) -> None:
    await scene.desk1.interaction.stop(interaction_id=await scene.handled(), **WHY)


async def _place(scene: Cast) -> None:
    key = await scene.handled()
    await scene.desk1.interaction.place_in_queue(interaction_id=key, queue="E-mails", **WHY)


async def _hold(scene: Cast) -> None:
    await scene.desk1.interaction.hold(interaction_id=await scene.handled(), **WHY)


async def _pull(scene: Cast) -> None:
    await scene.submitted()
    await scene.desk1.view.pull(view=VIEW, agent="agent1", **WHY)


async def _transfer(scene: Cast) -> None:
    key = await scene.handled()
    await scene.desk1.interaction.transfer(
        interaction_id=key, agent="agent1", to_agent="agent2", **WHY
    )


async def _reject(scene: Cast) -> None:
    key = await scene.submitted()
    await scene.router.view.pull(view=VIEW)
    offer = await scene.router.interaction.deliver(interaction_id=key, agent="agent2")
    await scene.desk2.interaction.reject(
        interaction_id=key, ticket=offer.ticket, agent="agent2", **WHY
    )


async def _move(scene: Cast) -> None:
    await scene.submitted()
    taken = await scene.desk1.snapshot.take(view=VIEW)
    await scene.desk1.snapshot.move(snapshot_id=taken.snapshot_id, queue="E-mails", **WHY)


async def _distribute(scene: Cast) -> None:
    await scene.media.event.distribute(event=7, **WHY)


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (_not_ready, "EventNotReadyForMedia"),
        (_media_reason, "EventMediaStateReasonChanged"),
        (_agent_reason, "EventAgentStateReasonChanged"),
        (_disturbed, "EventDoNotDisturbOn"),
        (_logout, "EventAgentLogout"),
        (_stop, "EventProcessingStopped"),
        (_place, "EventPlacedInQueue"),
        (_hold, "EventHeld"),
        (_pull, "EventTakenFromQueue"),
        (_transfer, "EventAgentInvited"),
        (_reject, "EventRejected"),
        (_move, "EventPlacedInQueue"),
        (_distribute, "EventCustomReporting"),
    ],
)
def test_the_event_has_text_and_code(act: Callable[[Cast], Awaitable[None]], name: str) -> None:
    """The documented event of the request carries both; what has another reason carries no code."""

    async def scenario() -> None:
        async with cast() as scene:
            await act(scene)
            logged = await scene.logged()
            event = next(e for e in reversed(logged) if e.name == name)
            assert (event.reason, event.reason_code) == ("wrong department", 17)
            assert all(e.reason == WHY["reason"] for e in logged if e.reason_code is not None)

    run_virtual(scenario())


def test_a_text_alone_is_enough() -> None:
    """As before: the text is kept, there is no code, also after a request that had one."""

    async def scenario() -> None:
        async with cast() as scene:
            await scene.desk1.media.not_ready(agent="agent1", media="chat", **WHY)
            await scene.desk1.media.change_reason(agent="agent1", media="chat", reason="lunch")
            event = (await scene.logged())[-1]
            assert (event.reason, event.reason_code) == ("lunch", None)
            (media,) = (await scene.media.agent.list()).items[0].media
            assert (media.reason, media.reason_code) == ("lunch", None)

    run_virtual(scenario())


def test_the_code_alone_changes_the_reason() -> None:
    """The same text with another code is another reason; the same of both changes nothing."""

    async def scenario() -> None:
        async with cast() as scene:
            for code in (1, 2, 2):
                await scene.desk1.agent.change_reason(
                    agent="agent1", reason="break", reason_code=code
                )
            told = [(e.reason, e.reason_code) for e in await scene.logged()]
            assert told == [("break", 1), ("break", 2)]

    run_virtual(scenario())


def test_a_code_needs_its_text() -> None:
    """Without one it is refused, naming the field, and nothing changes; so is one that is no number of 32 bits."""

    async def scenario() -> None:
        async with cast() as scene:
            for fields in ({"reason_code": 17}, {"reason": "x", "reason_code": -1}):
                with pytest.raises(PacelineError, match="invalid_attribute") as refusal:
                    await scene.desk1.media.not_ready(agent="agent1", media="chat", **fields)
                assert refusal.value.field == "reason_code"
            assert await scene.events() == []

    run_virtual(scenario())


def test_states_keep_the_code_over_a_restart() -> None:
    """The lists show text and code of the agent's and of the medium's reason, also after a restart."""

    async def scenario() -> None:
        times = virtual_times(START)
        database = open_database(from_url("sqlite://"), times=times, inline=True)
        shown = []
        for epoch in (1, 2):
            async with running_node(times, database=database, epoch=epoch) as node:
                client = await node.client("desk", "operator")
                if epoch == 1:
                    await client.agent.login(agent="agent1", media=("chat",), ready=True)
                    await client.media.not_ready(agent="agent1", media="chat", **WHY)
                    await client.agent.dnd_on(agent="agent1", reason="meeting", reason_code=3)
                (agent,) = (await client.agent.list()).items
                (media,) = agent.media
                shown.append((agent.reason, agent.reason_code, media.reason, media.reason_code))
        assert shown == [("meeting", 3, "wrong department", 17)] * 2
        await database.close()

    run_virtual(scenario())


def test_a_router_is_told_why() -> None:
    """The notice of a rejection has the agent's text and code, for the strategy to decide on."""

    async def scenario() -> None:
        async with cast() as scene:
            await _reject(scene)
            await scene.settle()
            result = scene.heard_router.last("delivery_result")
            assert (result.outcome, result.reason, result.reason_code) == (
                "rejected",
                "wrong department",
                17,
            )

    run_virtual(scenario())

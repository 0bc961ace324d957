"""Delivery, transfer and conference to a place: whoever is logged in there is asked."""

from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from tests.acceptance.interaction.cast import VIEW, Cast, cast


async def _desk3(scene: Cast) -> None:
    await scene.desk("agent3", "place3")


def test_transfer_to_a_place_invites_the_agent_there() -> None:
    """The agent at the place is invited and owns it when it accepts; the events name agent and place."""

    async def scenario() -> None:
        async with cast() as scene:
            await _desk3(scene)
            key = await scene.handled()
            await scene.mark()
            offer = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_place="place3"
            )
            await scene.desk1.interaction.accept(
                interaction_id=key, ticket=offer.ticket, agent="agent3"
            )
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.place) == ("agent3", "place3")
            logged = [(e.name, e.agent, e.place) for e in await scene.logged()]
            assert logged == [
                ("EventAgentInvited", "agent3", "place3"),
                ("EventPartyAdded", "agent3", "place3"),
                ("EventPartyRemoved", "agent1", "place1"),
            ]

    run_virtual(scenario())


def test_conference_with_a_place() -> None:
    """The agent at the place takes part beside the owner."""

    async def scenario() -> None:
        async with cast() as scene:
            await _desk3(scene)
            key = await scene.handled()
            offer = await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_place="place3", to_agent="agent3"
            )
            await scene.desk1.interaction.accept(
                interaction_id=key, ticket=offer.ticket, agent="agent3"
            )
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.parties) == ("agent1", ("agent3",))

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("to", "error", "field"),
    [
        ({"to_place": "place2"}, "invalid_target", "to_place"),
        ({"to_place": "place3", "to_agent": "agent2"}, "invalid_target", "to_place"),
        ({"to_place": "nowhere"}, "invalid_attribute", "to_place"),
        ({}, "invalid_attribute", "to_agent"),
    ],
)
def test_a_place_without_the_agent_is_refused(to: Any, error: str, field: str) -> None:
    """Nobody there, somebody else there, no such place, nothing named: nothing changes."""

    async def scenario() -> None:
        async with cast() as scene:
            await _desk3(scene)
            key = await scene.handled()
            await scene.mark()
            for ask in (scene.desk1.interaction.transfer, scene.desk1.interaction.conference):
                with pytest.raises(PacelineError) as refused:
                    await ask(interaction_id=key, agent="agent1", **to)
                assert (refused.value.name, refused.value.field) == (error, field)
            assert await scene.events() == []

    run_virtual(scenario())


def test_deliver_to_a_place_invites_the_agent_there() -> None:
    """The router names the place: the agent there is invited, the answer and the events name both."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW)
            await scene.mark()
            offer = await scene.router.interaction.deliver(interaction_id=key, place="place1")
            await scene.desk1.interaction.accept(
                interaction_id=key, ticket=offer.ticket, agent="agent1"
            )
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.place) == ("agent1", "place1")
            logged = [(e.name, e.agent, e.place) for e in await scene.logged()]
            assert logged[0] == ("EventAgentInvited", "agent1", "place1")

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("to", "error", "field"),
    [
        ({"place": "place2"}, "invalid_target", "place"),
        ({"place": "place1", "agent": "agent2"}, "invalid_target", "place"),
        ({"place": "nowhere"}, "invalid_attribute", "place"),
        ({}, "invalid_attribute", "agent"),
    ],
)
def test_delivery_without_an_agent_at_the_place_is_refused(to: Any, error: str, field: str) -> None:
    """The router keeps the interaction and delivers it elsewhere."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW)
            await scene.mark()
            with pytest.raises(PacelineError) as refused:
                await scene.router.interaction.deliver(interaction_id=key, **to)
            assert (refused.value.name, refused.value.field) == (error, field)
            assert await scene.events() == []
            await scene.router.interaction.deliver(interaction_id=key, agent="agent1")

    run_virtual(scenario())

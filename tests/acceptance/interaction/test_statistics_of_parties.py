"""What a Stat Server makes of recorded events in which several agents take part in one interaction."""

from collections.abc import Awaitable, Callable
from typing import Any

from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.stat.live.statistics import Statistic
from tests.acceptance.interaction.cast import VIEW, Cast, cast
from tests.fakes.site import small_site
from tests.unit.stat.story import Floor

ACTIONS = ("CallAnswered", "CallReleased", "ACWCompleted")
AGENTS = ("agent1", "agent2")
Counts = dict[str, tuple[float, ...]]


class Seen:
    """A Stat Server's live part that follows a node's log: counts of agents, and slots they have in use."""

    def __init__(self, scene: Cast) -> None:
        self._scene = scene
        self._floor = Floor(small_site().build())
        self._position: str | None = None
        self._counts = {
            agent: [self._open(agent, action) for action in ACTIONS] for agent in AGENTS
        }
        self.answered = self._floor.open(
            "Queue", "Chat", stat_type="PACS_VQ_Accepted", profile="Ever"
        )

    def _open(self, agent: str, action: str) -> Statistic:
        return self._floor.open("Agent", agent, category="TotalNumber", main_mask=action)

    async def look(self) -> tuple[Counts, tuple[int, ...]]:
        """Answered, released, freed of each agent so far; slots in use of each now."""
        await self._scene.settle()
        page = await self._scene.media.event.read(after=self._position, limit=1000)
        self._position = page.position
        self._floor.centre.take("node", page.items, page.position)
        counts = {a: tuple(s.value or 0 for s in found) for a, found in self._counts.items()}
        agents = (self._floor.centre.agents.by_key[1, agent] for agent in AGENTS)
        return counts, tuple(agent.taken("chat") for agent in agents)


async def _answered(scene: Cast) -> str:
    """One that came through the virtual queue and was offered to and accepted by agent1."""
    key = await scene.submitted()
    await scene.router.view.pull(view=VIEW)
    await scene.router.interaction.enter_virtual_queue(interaction_id=key, virtual_queue="Chat")
    offer = await scene.router.interaction.deliver(interaction_id=key, agent="agent1")
    await scene.desk1.interaction.accept(interaction_id=key, ticket=offer.ticket, agent="agent1")
    return key


async def _told(scene: Cast, ask: Callable[..., Awaitable[Any]], key: str, **fields: Any) -> int:
    offer = await ask(interaction_id=key, agent="agent1", to_agent="agent2", **fields)
    ticket: int = offer.ticket
    return ticket


def test_a_consulted_or_monitoring_party_is_not_counted() -> None:
    """It has a slot in use while it is asked and takes part; answered and released are the owner's alone."""

    async def scenario() -> None:
        async with cast() as scene:
            seen = Seen(scene)
            key = await _answered(scene)
            owner: Counts = {"agent1": (1, 0, 0), "agent2": (0, 0, 0)}
            assert await seen.look() == (owner, (1, 0))
            for visibility in ("conference", "coach", "monitor"):
                ticket = await _told(
                    scene, scene.desk1.interaction.conference, key, visibility=visibility
                )
                assert await seen.look() == (owner, (1, 1))
                await scene.desk2.interaction.accept(
                    interaction_id=key, ticket=ticket, agent="agent2"
                )
                assert await seen.look() == (owner, (1, 1))
                await scene.desk2.interaction.leave(interaction_id=key, agent="agent2")
                assert await seen.look() == (owner, (1, 0))
            await scene.desk1.interaction.stop(interaction_id=key)
            assert await seen.look() == ({"agent1": (1, 1, 1), "agent2": (0, 0, 0)}, (0, 0))
            assert seen.answered.value == 1

    run_virtual(scenario())


def test_a_transfers_offer_leaves_it_with_the_owner_until_it_is_accepted() -> None:
    """Refused: nothing counted. Accepted: released by the first, later by the second, answered once in all."""

    async def scenario() -> None:
        async with cast() as scene:
            seen = Seen(scene)
            key = await _answered(scene)
            ticket = await _told(scene, scene.desk1.interaction.transfer, key)
            await scene.desk2.interaction.reject(interaction_id=key, ticket=ticket, agent="agent2")
            assert await seen.look() == ({"agent1": (1, 0, 0), "agent2": (0, 0, 0)}, (1, 0))
            ticket = await _told(scene, scene.desk1.interaction.transfer, key)
            assert await seen.look() == ({"agent1": (1, 0, 0), "agent2": (0, 0, 0)}, (1, 1))
            await scene.desk2.interaction.accept(interaction_id=key, ticket=ticket, agent="agent2")
            assert await seen.look() == ({"agent1": (1, 1, 1), "agent2": (0, 0, 0)}, (0, 1))
            await scene.desk2.interaction.stop(interaction_id=key)
            assert await seen.look() == ({"agent1": (1, 1, 1), "agent2": (0, 1, 1)}, (0, 0))
            assert seen.answered.value == 1

    run_virtual(scenario())


def test_an_intruder_takes_a_slot_only_when_let_in() -> None:
    """The owner is asked, so nothing rings at the intruder; refused or let in, nothing is counted for it."""

    async def scenario() -> None:
        async with cast() as scene:
            seen = Seen(scene)
            key = await _answered(scene)
            owner: Counts = {"agent1": (1, 0, 0), "agent2": (0, 0, 0)}
            intrusion = scene.desk2.interaction.intrude(interaction_id=key, agent="agent2")
            assert await seen.look() == (owner, (1, 0))
            ticket = scene.heard1.last("invite").ticket
            await scene.desk1.interaction.accept(interaction_id=key, ticket=ticket, agent="agent1")
            await intrusion
            assert await seen.look() == (owner, (1, 1))

    run_virtual(scenario())


def test_a_party_that_inherits_is_the_owner_from_then_on() -> None:
    """The owner leaves: its handling is over; the one who stays is counted when it ends."""

    async def scenario() -> None:
        async with cast() as scene:
            seen = Seen(scene)
            key = await _answered(scene)
            ticket = await _told(scene, scene.desk1.interaction.conference, key)
            await scene.desk2.interaction.accept(interaction_id=key, ticket=ticket, agent="agent2")
            await scene.desk1.interaction.leave(interaction_id=key, agent="agent1")
            assert await seen.look() == ({"agent1": (1, 1, 1), "agent2": (0, 0, 0)}, (0, 1))
            await scene.desk2.interaction.stop(interaction_id=key)
            assert await seen.look() == ({"agent1": (1, 1, 1), "agent2": (0, 1, 1)}, (0, 0))

    run_virtual(scenario())

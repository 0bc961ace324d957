"""What agents do with an interaction beside finishing it: hold it, share it, hand it on, lay it aside.

Part of people.py; every turn is one or two requests, and whatever is refused does not matter: the
caller goes on to finish what it may still have.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.party import Visibility
from paceline.runtime.chance import Chance
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.site import SiteAgent
from paceline.simulator.whole.configuration import DRAFTS, LETTERS, PARCELS

SHARE: Final = 0.5
"""How much of the work takes a turn with it (chosen: each turn some times in ten minutes)."""

ANSWER_S: Final = 4.0
"""How long an agent waits for a colleague's answer before going on (chosen: answers take up to 2 s)."""

INTRUDE_S: Final = 8.0


class Teamwork:
    """See the module.

    Parameters
    ----------
    working
        Who works on what now, as (agent, interaction id); kept by the caller.
    """

    def __init__(
        self,
        client: InteractionServerClient,
        agents: dict[str, SiteAgent],
        working: set[tuple[str, str]],
        *,
        times: Times,
        chance: Chance,
    ) -> None:
        self._client = client
        self._agents = agents
        self._working = working
        self._machine = times.machine
        self._dice = chance.stream("teamwork")

    async def turn(self, name: str, interaction_id: str) -> None:
        """Sometimes one of the turns."""
        if self._dice.random() >= SHARE:
            return
        turns: list[Callable[[str, str], Awaitable[object]]] = [
            self._hold, self._lay_aside, self._into_workbin, self._move_on,
            self._transfer, self._conference, self._conference, self._leave,
        ]  # fmt: skip
        try:
            await self._dice.choice(turns)(name, interaction_id)
        except PacelineError:
            return

    async def intrude(self, name: str) -> str | None:
        """Into what a colleague works on; the interaction's id when the colleague let the agent in."""
        others = sorted(one for who, one in self._working if who != name)
        if not others:
            return None
        chosen = self._dice.choice(others)
        await self._client.interaction.intrude(
            interaction_id=chosen, agent=name, timeout_s=INTRUDE_S, visibility=self._visibility()
        )
        return chosen

    async def _hold(self, name: str, interaction_id: str) -> None:
        await self._client.interaction.hold(interaction_id=interaction_id, agent=name)
        await self._machine.sleep(self._dice.exponential(2.0))
        await self._client.interaction.resume(interaction_id=interaction_id, agent=name)

    async def _lay_aside(self, name: str, interaction_id: str) -> None:
        """Back into its queue on hold, and off hold some seconds later."""
        await self._client.interaction.place_in_queue(
            interaction_id=interaction_id, queue="__BACK__", hold=True, agent=name, reason="aside"
        )
        await self._machine.sleep(self._dice.exponential(5.0))
        await self._client.interaction.resume(interaction_id=interaction_id)

    async def _into_workbin(self, name: str, interaction_id: str) -> None:
        owner = self._dice.choice([name, *self._colleagues(name)])
        await self._client.interaction.place_in_workbin(
            interaction_id=interaction_id, workbin=DRAFTS, owner=owner, agent=name, reason="draft"
        )

    async def _move_on(self, name: str, interaction_id: str) -> None:
        """Only who does e-mail alone or beside chat knows these queues."""
        if "email" in self._agents[name].capacity:
            await self._client.interaction.place_in_queue(
                interaction_id=interaction_id, queue=self._dice.choice((LETTERS, PARCELS)),
                agent=name, reason="moved on",
            )  # fmt: skip

    async def _transfer(self, name: str, interaction_id: str) -> None:
        await self._client.interaction.transfer(
            interaction_id=interaction_id, agent=name, to_agent=self._colleague(name)
        )
        await self._machine.sleep(ANSWER_S)

    async def _conference(self, name: str, interaction_id: str) -> None:
        await self._client.interaction.conference(
            interaction_id=interaction_id, agent=name, to_agent=self._colleague(name),
            visibility=self._visibility(),
        )  # fmt: skip
        await self._machine.sleep(ANSWER_S)
        await self._leave(name, interaction_id)

    async def _leave(self, name: str, interaction_id: str) -> None:
        await self._client.interaction.leave(interaction_id=interaction_id, agent=name)

    def _visibility(self) -> Visibility:
        chosen: Visibility = self._dice.choice(("conference", "conference", "coach", "monitor"))
        return chosen

    def _colleagues(self, name: str) -> list[str]:
        media = set(self._agents[name].capacity)
        return sorted(
            other for other, agent in self._agents.items()
            if other != name and media & set(agent.capacity)
        )  # fmt: skip

    def _colleague(self, name: str) -> str:
        return self._dice.choice(self._colleagues(name) or [name])

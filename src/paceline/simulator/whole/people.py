"""Agents beside the bank's: they answer at once or not at all, work for seconds, and do what agents do.

Part of traffic.py. Quick, so that somebody is always free soon; they log out and in, rest, refuse,
forget an offer, and take interactions from views by hand.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.site import SiteAgent
from paceline.simulator.whole.configuration import DRAFTS
from paceline.simulator.whole.teamwork import Teamwork
from paceline.wire.operations.interaction import Invite, Revoked

WORK_S: Final = (1.0, 8.0)
"""An interaction takes them so long, uniform (chosen)."""

PAUSE_S: Final = 20.0
"""Mean time between two turns of an agent's own: rest, log out, take by hand (chosen)."""

HELD_S: Final = (0.0, 0.0, 3.0, 20.0)
"""How long a pull by hand may be held; one of these (chosen: at once, shorter and longer than others' work)."""


OWN_VIEWS: Final = ("Letters view", "Parcels view", "Drawer view")
"""Views of the rehearsal's own queues; their medium is e-mail."""


class QuickAgents:
    """See the module; over one connection of the kind agent."""

    def __init__(
        self,
        client: InteractionServerClient,
        agents: list[SiteAgent],
        views: dict[str, list[str]],
        *,
        times: Times,
        chance: Chance,
        tasks: TaskGroup,
        attempts: Attempts,
    ) -> None:
        self._client = client
        self._agents = {agent.name: agent for agent in agents}
        self._views = views
        self._machine = times.machine
        self._dice = chance.stream("quick agents")
        self._tasks = tasks
        self._attempts = attempts
        client.connection.on_notice("interaction.invite", self._invited)
        client.connection.on_notice("interaction.revoked", self._revoked)
        client.connection.watch_connection(self._connection_changed)
        self._working: set[tuple[str, str]] = set()
        self._teamwork = Teamwork(client, self._agents, self._working, times=times, chance=chance)
        self._is_closing = False

    def start(self) -> None:
        """They log in and begin."""
        for name in self._agents:
            self._tasks.start(f"day of {name}", self._day(name))

    def finish(self) -> None:
        """No more rests and pulls by hand: they stay logged in and answer what is offered."""
        self._is_closing = True

    def _connection_changed(self, is_connected: bool) -> None:
        """A desk that lost its link attaches to its session again, before the server ends it."""
        if is_connected:
            for name in self._agents:
                self._tasks.start(f"{name} is back", self._log_in(name))

    async def _day(self, name: str) -> None:
        """Logs in, then does this and that; whatever is refused does not matter."""
        turns: list[Callable[[str], Awaitable[object]]] = [
            self._take_by_hand,
            self._take_by_hand,
            self._rest,
            self._be_undisturbed,
            self._log_out_and_in,
            self._take_up,
            self._take_out_of_workbin,
            self._say_why,
            self._intrude,
        ]
        while True:
            if self._is_closing or self._dice.random() < 0.3:
                await self._log_in(name)
            await self._machine.sleep(self._dice.exponential(PAUSE_S))
            if not self._is_closing:
                try:
                    await self._dice.choice(turns)(name)
                except PacelineError:
                    continue

    async def _log_in(self, name: str) -> None:
        agent = self._agents[name]
        await self._attempts.insist(
            lambda: self._client.agent.login(
                agent=name, place=agent.place, media=tuple(agent.capacity), ready=True
            )
        )
        try:
            await self._client.agent.dnd_off(agent=name)
        except PacelineError:
            return

    async def _rest(self, name: str) -> None:
        media = self._dice.choice(sorted(self._agents[name].capacity))
        await self._client.media.not_ready(agent=name, media=media, reason="rest")
        await self._machine.sleep(self._dice.exponential(5.0))
        await self._client.media.ready(agent=name, media=media)

    async def _be_undisturbed(self, name: str) -> None:
        await self._client.agent.dnd_on(agent=name)
        await self._machine.sleep(self._dice.exponential(3.0))
        await self._client.agent.dnd_off(agent=name)

    async def _log_out_and_in(self, name: str) -> None:
        await self._client.agent.logout(agent=name, reason="break")
        await self._machine.sleep(self._dice.exponential(5.0))
        await self._log_in(name)

    async def _take_by_hand(self, name: str) -> None:
        media = self._dice.choice(sorted(self._agents[name].capacity))
        view = self._dice.choice(self._views[media])
        is_own = view in OWN_VIEWS  # one at a time: no event tells which were pulled together
        pulled = await self._client.view.pull(
            view=view,
            count=1 if is_own else self._dice.randint(1, 3),
            hold_s=self._dice.choice(HELD_S),
            agent=name,
        )
        for interaction in pulled.interactions:
            self._work(name, interaction.interaction_id)

    async def _take_out_of_workbin(self, name: str) -> None:
        pulled = await self._client.workbin.pull(workbin=DRAFTS, owner=name, agent=name, count=2)
        for interaction in pulled.interactions:
            self._work(name, interaction.interaction_id)

    async def _say_why(self, name: str) -> None:
        """Changes the reasons of being as the agent is, and of a medium's state."""
        media = self._dice.choice(sorted(self._agents[name].capacity))
        await self._client.media.change_reason(agent=name, media=media, reason="busy day")
        await self._client.agent.change_reason(agent=name, reason="training")

    async def _intrude(self, name: str) -> None:
        found = await self._teamwork.intrude(name)
        if found is not None:
            self._work(name, found)

    async def _take_up(self, name: str) -> None:
        """Goes on with what the server says the agent has: the answer to a pull may have been lost."""
        page = await self._client.agent.list(limit=500)
        for session in page.items:
            if session.agent == name:
                for interaction_id in session.handling:
                    self._work(name, interaction_id)

    # --- offers ---------------------------------------------------------------------------------

    def _invited(self, notice: Invite) -> None:
        if notice.agent in self._agents:
            self._tasks.start("offer", self._answer(notice))

    def _revoked(self, notice: Revoked) -> None:
        self._working.discard((notice.agent, notice.interaction_id))

    async def _answer(self, notice: Invite) -> None:
        drawn = self._dice.random()
        await self._machine.sleep(self._dice.uniform(0.0, 2.0))
        if drawn < 0.03 and not self._is_closing:
            return  # forgotten: the offer ends by itself
        interaction_id = notice.interaction.interaction_id
        try:
            if drawn < 0.1 and not self._is_closing:
                await self._client.interaction.reject(
                    interaction_id=interaction_id, ticket=notice.ticket, agent=notice.agent
                )
                return
            await self._client.interaction.accept(
                interaction_id=interaction_id, ticket=notice.ticket, agent=notice.agent
            )
        except PacelineError as error:
            if error.outcome != "unknown":
                return
        self._work(notice.agent, interaction_id)  # also of who lets a colleague in, as before

    # --- work -----------------------------------------------------------------------------------

    def _work(self, name: str, interaction_id: str) -> None:
        if (name, interaction_id) not in self._working:
            self._working.add((name, interaction_id))
            self._tasks.start("work", self._handle(name, interaction_id))

    async def _handle(self, name: str, interaction_id: str) -> None:
        await self._machine.sleep(self._dice.uniform(*WORK_S))
        if not self._is_closing:
            await self._teamwork.turn(name, interaction_id)
        if self._dice.random() < 0.1 and not self._is_closing:
            await self._attempts.insist(
                lambda: self._client.interaction.place_in_queue(
                    interaction_id=interaction_id, queue="__BACK__", reason="later"
                )
            )
        else:
            await self._attempts.insist(
                lambda: self._client.interaction.stop(
                    interaction_id=interaction_id, agent=name, reason="done"
                )
            )
        self._working.discard((name, interaction_id))

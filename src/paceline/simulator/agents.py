"""The agents: log in at their places, answer what is offered, work as long as the bank's agents did.

Started by whole_site.py. Takes at most what the capacity rules allow, whatever is offered. Keeps
nothing that a restart could lose: who handles what is asked of the Interaction Server (adopt.py).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.runtime.chance import Chance
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.fates import Fates
from paceline.simulator.site import Site
from paceline.simulator.timers import Timers
from paceline.simulator.waiting import WaitingCustomers
from paceline.wire.operations.agent import AgentSession
from paceline.wire.operations.interaction import Interaction, Invite, Revoked

REACTION_S = (1.0, 3.0)
"""How long an agent looks at an offer, uniform (chosen)."""

REJECTED_SHARE = 0.01
"""Share of offers that an agent refuses (chosen: rare, and enough that the way is used)."""

_log = get_log("simulator")


@dataclass(slots=True)
class _Slot:
    """An interaction in an agent's hands: offered while it has a ticket, else handled."""

    agent: str
    media_type: str
    ticket: int
    timer: asyncio.TimerHandle | None = None


class AgentDesk:
    """All agents, over one connection."""

    def __init__(
        self,
        client: InteractionServerClient,
        *,
        site: Site,
        times: Times,
        chance: Chance,
        timers: Timers,
        attempts: Attempts,
        fates: Fates,
    ) -> None:
        self._client = client
        self._site = site
        self._times = times
        self._timers = timers
        self._attempts = attempts
        self._fates = fates
        self._moods = chance.stream("agents")
        self._slots: dict[str, _Slot] = {}
        self._waiting: WaitingCustomers | None = None
        client.connection.on_notice("interaction.invite", self._invited)
        client.connection.on_notice("interaction.revoked", self._revoked)

    def tell(self, waiting: WaitingCustomers) -> None:
        """Whom to tell that a customer waits no more, or waits again."""
        self._waiting = waiting

    def is_taken(self, interaction_id: str) -> bool:
        """Whether an agent handles it."""
        slot = self._slots.get(interaction_id)
        return slot is not None and slot.ticket == 0

    def load(self, agent: str, media_type: str) -> int:
        """How many interactions of the medium the agent has, offered ones included."""
        return sum(
            slot.agent == agent and slot.media_type == media_type for slot in self._slots.values()
        )

    async def log_in(self, names: Iterable[str] | None = None) -> None:
        """Logs these agents in, ready in all their media; all agents when nobody is named."""
        chosen = self._site.agents if names is None else names
        agents = [self._site.agents[name] for name in chosen if self._site.agents[name].capacity]
        # All are sent before the first answer is awaited, so that they share a transaction.
        calls = [
            self._client.agent.login(
                agent=agent.name, place=agent.place, media=tuple(agent.capacity), ready=True
            )
            for agent in agents
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for agent, answer in zip(agents, answers, strict=True):
            if isinstance(answer, PacelineError):  # the next look (adopt.py) tries again
                _log.debug("agent is not logged in", agent=agent.name, problem=str(answer))
            elif isinstance(answer, BaseException):
                raise answer

    # --- offers ---------------------------------------------------------------------------------

    def _invited(self, notice: Invite) -> None:
        interaction_id = notice.interaction.interaction_id
        self._drop(interaction_id)
        agent = self._site.agents.get(notice.agent)
        media_type = notice.interaction.media_type
        most = agent.capacity.get(media_type, 0) if agent is not None else 0
        is_free = self.load(notice.agent, media_type) < most
        slot = _Slot(notice.agent, media_type, notice.ticket)
        if not is_free or self._moods.random() < REJECTED_SHARE:
            reason = "not now" if is_free else "no capacity"
            self._timers.now("reject", lambda: self._reject(notice, reason))
            return
        self._slots[interaction_id] = slot
        slot.timer = self._timers.after(
            self._moods.uniform(*REACTION_S), "accept", lambda: self._accept(notice, slot)
        )

    async def _reject(self, notice: Invite, reason: str) -> None:
        await self._attempts.insist(
            lambda: self._client.interaction.reject(
                interaction_id=notice.interaction.interaction_id,
                ticket=notice.ticket,
                agent=notice.agent,
                reason=reason,
            )
        )

    async def _accept(self, notice: Invite, slot: _Slot) -> None:
        """Accepts once; when nobody knows whether it worked, adopt.py asks."""
        interaction_id = notice.interaction.interaction_id
        try:
            await self._client.interaction.accept(
                interaction_id=interaction_id, ticket=notice.ticket, agent=notice.agent
            )
        except PacelineError as error:
            _log.debug("offer is over", interaction_id=interaction_id, problem=str(error))
            if self._slots.get(interaction_id) is slot:
                self._drop(interaction_id)
            return
        if self._slots.get(interaction_id) is slot:
            self._handle(notice.interaction, slot, 0.0)

    def _revoked(self, notice: Revoked) -> None:
        was_handled = self.is_taken(notice.interaction_id)
        self._drop(notice.interaction_id)
        if was_handled and self._waiting is not None:
            self._waiting.begin(notice.interaction_id, self._times.business.now())

    def _drop(self, interaction_id: str) -> None:
        slot = self._slots.pop(interaction_id, None)
        if slot is not None and slot.timer is not None:
            slot.timer.cancel()

    # --- work -----------------------------------------------------------------------------------

    async def take_up(self, session: AgentSession) -> None:
        """Goes on with what the server says the agent handles and the desk does not know."""
        for interaction_id in session.handling:
            if interaction_id in self._slots:
                continue
            try:
                found = await self._client.interaction.get(interaction_id=interaction_id)
            except PacelineError:
                continue
            if (
                found.state == "handling"
                and found.agent == session.agent
                and found.interaction_id not in self._slots
            ):
                since = to_millis(found.assigned_at or found.received_at, field="assigned_at")
                passed_s = (self._times.business.now() - since) / 1000
                slot = _Slot(session.agent, found.media_type, 0)
                self._slots[interaction_id] = slot
                self._handle(found, slot, passed_s)

    def _handle(self, interaction: Interaction, slot: _Slot, passed_s: float) -> None:
        interaction_id = interaction.interaction_id
        slot.ticket = 0
        if self._waiting is not None:
            self._waiting.end(interaction_id)
        work_s = self._fates.handling_s(interaction_id, interaction.user_data) - passed_s
        slot.timer = self._timers.after(work_s, "stop", lambda: self._stop(interaction_id, slot))

    async def _stop(self, interaction_id: str, slot: _Slot) -> None:
        await self._attempts.insist(
            lambda: self._client.interaction.stop(
                interaction_id=interaction_id, agent=slot.agent, reason="done"
            )
        )
        if self._slots.get(interaction_id) is slot:
            del self._slots[interaction_id]

"""Agents as the Stat Server's target states show them, less what the router has promised them.

Fed by tasks/follow_agents, asked by tasks/dispatch. An agent is available in a medium when
routable there, not promised an interaction there and not excluded. A promise ends when it was
answered and the stream has shown it, so that a state older than the offer cannot fill a slot twice.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from paceline.wire.operations.statistic import AgentTargetState

Group = tuple[int, str]
"""Tenant and agent group."""

UNKNOWN_SINCE = "~"
"""Sorts after every instant: who is ready since nobody knows when comes last."""


class Slot(NamedTuple):
    """An agent in one medium."""

    tenant: int
    agent: str
    media_type: str


@dataclass(slots=True)
class _Agent:
    state: AgentTargetState
    groups: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Promise:
    """An offer on its way, ringing, or accepted and not yet shown by the stream."""

    slot: Slot
    interaction_id: str
    current_before: int
    is_shown: bool = False
    is_accepted: bool = False


class AgentPool:
    """All agents of the followed groups. Methods that may free slots return those now available."""

    def __init__(self) -> None:
        self._agents: dict[tuple[int, str], _Agent] = {}
        self._members: dict[Group, set[str]] = {}
        self._available: dict[tuple[int, str], list[tuple[str, str]]] = {}
        self._since: dict[Slot, str] = {}
        self._promises: dict[Slot, Promise] = {}
        self._excluded: set[Slot] = set()

    # --- what the stream says --------------------------------------------------------------------

    def replace_group(self, group: Group, states: Iterable[AgentTargetState]) -> list[Slot]:
        """The group's logged-in members are exactly these."""
        states = tuple(states)
        gone = self._members.get(group, set()) - {state.agent for state in states}
        return self.change_group(group, states, gone)

    def change_group(
        self, group: Group, changed: Iterable[AgentTargetState], removed: Iterable[str]
    ) -> list[Slot]:
        """These members are as stated now, those are members no longer."""
        for agent in tuple(removed):
            self._leave(group, agent)
        freed: list[Slot] = []
        for state in changed:
            freed += self._take(group, state)
        return freed

    def drop_group(self, group: Group) -> None:
        """The group is not followed any more."""
        for agent in tuple(self._members.pop(group, ())):
            self._leave(group, agent)

    def clear_states(self) -> None:
        """Nothing is known of anybody; promises and exclusions stay."""
        self._agents.clear()
        self._members.clear()
        self._available.clear()
        self._since.clear()

    def _leave(self, group: Group, name: str) -> None:
        self._members.get(group, set()).discard(name)
        agent = self._agents.get((group[0], name))
        if agent is None:
            return
        agent.groups.discard(group[1])
        if not agent.groups:
            del self._agents[group[0], name]
            for media_type in agent.state.media:
                self._refresh(Slot(group[0], name, media_type))

    def _take(self, group: Group, state: AgentTargetState) -> list[Slot]:
        tenant, name = group[0], state.agent
        agent = self._agents.setdefault((tenant, name), _Agent(state))
        old, agent.state = agent.state, state
        is_new_member = group[1] not in agent.groups
        agent.groups.add(group[1])
        self._members.setdefault(group, set()).add(name)
        freed: list[Slot] = []
        for media_type in {**old.media, **state.media}:
            slot = Slot(tenant, name, media_type)
            self._show(slot, state)
            if self._refresh(slot) or (is_new_member and slot in self._since):
                freed.append(slot)
        return freed

    def _show(self, slot: Slot, state: AgentTargetState) -> None:
        promise = self._promises.get(slot)
        now = state.media.get(slot.media_type)
        if promise is None or now is None or now.current <= promise.current_before:
            return
        promise.is_shown = True
        if promise.is_accepted:
            del self._promises[slot]

    # --- what the router promises ----------------------------------------------------------------

    def promise(self, slot: Slot, interaction_id: str) -> Promise:
        """The slot is taken by an offer."""
        agent = self._agents[slot.tenant, slot.agent]
        current = agent.state.media[slot.media_type].current
        promise = self._promises[slot] = Promise(slot, interaction_id, current)
        self._refresh(slot)
        return promise

    def promised(self, slot: Slot) -> Promise | None:
        """The promise that holds the slot."""
        return self._promises.get(slot)

    def accepted(self, slot: Slot) -> tuple[Promise | None, list[Slot]]:
        """The agent took it: the promise, if the stream has yet to show it, and slots freed."""
        promise = self._promises.get(slot)
        if promise is not None and not promise.is_shown:
            promise.is_accepted = True
            return promise, []
        return None, self.release(slot, promise)

    def release(self, slot: Slot, promise: Promise | None) -> list[Slot]:
        """This promise holds no longer; a later one of the slot stays."""
        if promise is not None and self._promises.get(slot) is promise:
            del self._promises[slot]
        return [slot] if self._refresh(slot) else []

    def release_all(self) -> None:
        """No promise holds any more."""
        slots, self._promises = tuple(self._promises), {}
        for slot in slots:
            self._refresh(slot)

    def exclude(self, slot: Slot) -> None:
        """No offers until it is readmitted."""
        self._excluded.add(slot)
        self._refresh(slot)

    def readmit(self, slot: Slot) -> list[Slot]:
        """The exclusion is over."""
        self._excluded.discard(slot)
        return [slot] if self._refresh(slot) else []

    # --- who may be offered something ------------------------------------------------------------

    def available(self) -> list[Slot]:
        """All available slots."""
        return list(self._since)

    def is_available(self, slot: Slot) -> bool:
        """Whether an offer may go there now."""
        return slot in self._since

    def ready_since(self, slot: Slot) -> str:
        """Since when an available slot's agent has been ready; orders longest ready first."""
        return self._since.get(slot, UNKNOWN_SINCE)

    def groups_of(self, slot: Slot) -> set[str]:
        """The followed groups the agent is a member of."""
        agent = self._agents.get((slot.tenant, slot.agent))
        return agent.groups if agent is not None else set()

    def longest_ready(
        self, tenant: int, media_type: str, groups: frozenset[str], refused_by: set[str]
    ) -> Slot | None:
        """The available agent of the groups who has been ready longest; by name among equals."""
        for _, name in self._available.get((tenant, media_type), ()):
            groups_of_agent = self._agents[tenant, name].groups
            if name not in refused_by and not groups.isdisjoint(groups_of_agent):
                return Slot(tenant, name, media_type)
        return None

    def unable(self, tenant: int, media_type: str, groups: frozenset[str]) -> list[str]:
        """Members logged in with the medium whom no capacity rule lets take any of it."""
        return sorted(
            name
            for (of, name), agent in self._agents.items()
            if of == tenant
            and not groups.isdisjoint(agent.groups)
            and media_type in agent.state.media
            and agent.state.media[media_type].maximum < 1
        )

    def _refresh(self, slot: Slot) -> bool:
        """Brings the order of available agents up to date; True when the slot came into it."""
        before, now = self._since.get(slot), self._since_now(slot)
        if before == now:
            return False
        line = self._available.setdefault((slot.tenant, slot.media_type), [])
        if before is not None:
            del line[bisect_left(line, (before, slot.agent))]
            del self._since[slot]
        if now is not None:
            insort(line, (now, slot.agent))
            self._since[slot] = now
        return before is None

    def _since_now(self, slot: Slot) -> str | None:
        agent = self._agents.get((slot.tenant, slot.agent))
        if agent is None or slot in self._promises or slot in self._excluded:
            return None
        capacity = agent.state.media.get(slot.media_type)
        if capacity is None or not capacity.routable:
            return None
        return agent.state.ready_since or UNKNOWN_SINCE

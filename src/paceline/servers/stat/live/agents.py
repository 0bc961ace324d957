"""Logged-in agents: media, readiness, what each has, and the target state that follows.

Fed by centre.py with agents' events; `dirty` agents are told to subscribers, `unsaved` ones go into
the next checkpoint. Never counts actions.
"""

from collections.abc import Mapping

import msgspec

from paceline.model.capacity import WITHOUT_RULE, capacity_of
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.wire.operations.statistic import AgentTargetState, MediaCapacity

AgentKey = tuple[int, str]
"""Tenant and name."""


class AgentRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A session as it is stored. `ready` has every medium of the session; `since`, the routable ones.

    `calls` are those a telephone system told of: they take slots as interactions do.
    """

    place: str | None = None
    is_disturbed: bool = False
    ready: dict[str, bool] = {}
    since: dict[str, str] = {}
    calls: dict[str, int] = {}


class Agent:
    """An agent that is logged in, or has interactions. `current` follows from the interactions."""

    __slots__ = ("capacity", "current", "record")

    def __init__(self, record: AgentRecord | None, capacity: Mapping[str, int]) -> None:
        self.record = record
        self.capacity = capacity
        self.current: dict[str, int] = {}

    def is_routable(self, media: str) -> bool:
        """Whether one more interaction of the medium may be offered now."""
        record = self.record
        return (
            record is not None
            and not record.is_disturbed
            and record.ready.get(media, False)
            and self.taken(media) < self.capacity.get(media, 0)
        )

    def taken(self, media: str) -> int:
        """Slots of a medium that interactions and calls take."""
        calls = self.record.calls.get(media, 0) if self.record is not None else 0
        return self.current.get(media, 0) + calls

    def refresh(self, at: str) -> None:
        """Note since when each medium is routable."""
        record = self.record
        if record is None:
            return
        for media in record.ready:
            if not self.is_routable(media):
                record.since.pop(media, None)
            elif media not in record.since:
                record.since[media] = at

    def state(self, name: str) -> AgentTargetState | None:
        """The target state; None when the agent is not logged in."""
        record = self.record
        if record is None:
            return None
        media = {
            medium: MediaCapacity(
                current=self.taken(medium),
                maximum=self.capacity.get(medium, 0),
                ready=record.ready.get(medium, False),
                routable=medium in record.since,
                ready_since=record.since.get(medium),
            )
            for medium in sorted(record.ready.keys() | self.current.keys())
        }
        since = min(record.since.values(), default=None)
        return AgentTargetState(agent=name, place=record.place, ready_since=since, media=media)


class Agents:
    """All agents that are logged in or have interactions."""

    def __init__(self) -> None:
        self.by_key: dict[AgentKey, Agent] = {}
        self.dirty: set[AgentKey] = set()
        self.unsaved: set[AgentKey] = set()
        self._snapshot = ConfigurationSnapshot(())

    def log_in(self, key: AgentKey, place: str | None, at: str) -> None:
        """A session began; one that was there before is over."""
        agent = self._agent(key)
        agent.record = AgentRecord(place=place)
        agent.capacity = capacity_of(self._snapshot, *key, place)
        self._changed(key, agent, at)

    def log_out(self, key: AgentKey, at: str) -> None:
        """The session is over, and all its media."""
        agent = self.by_key.get(key)
        if agent is not None:
            agent.record = None
            self._changed(key, agent, at)

    def set_media(self, key: AgentKey, media: str, is_ready: bool | None, at: str) -> None:
        """A medium is ready, not ready, or (None) no longer in the session."""
        agent = self.by_key.get(key)
        if agent is None or agent.record is None:
            return
        if is_ready is None:
            agent.record.ready.pop(media, None)
            agent.record.since.pop(media, None)
            agent.record.calls.pop(media, None)
        else:
            agent.record.ready[media] = is_ready
        self._changed(key, agent, at)

    def set_calls(self, key: AgentKey, media: str, calls: int, at: str) -> None:
        """So many calls of the medium go on, as a telephone system says."""
        agent = self.by_key.get(key)
        if agent is not None and agent.record is not None and media in agent.record.ready:
            agent.record.calls[media] = calls
            self._changed(key, agent, at)

    def set_disturbed(self, key: AgentKey, is_disturbed: bool, at: str) -> None:
        """Do not disturb went on or off."""
        agent = self.by_key.get(key)
        if agent is not None and agent.record is not None:
            agent.record.is_disturbed = is_disturbed
            self._changed(key, agent, at)

    def occupy(self, key: AgentKey, media: str, by: int, at: str) -> None:
        """A slot is taken (1) by an interaction that rings or is handled, or is free again (-1)."""
        agent = self._agent(key)
        left = agent.current.get(media, 0) + by
        if left > 0:
            agent.current[media] = left
        else:
            agent.current.pop(media, None)
        self._changed(key, agent, at)

    def state(self, key: AgentKey) -> AgentTargetState | None:
        """Target state of an agent; None when not logged in."""
        agent = self.by_key.get(key)
        return None if agent is None else agent.state(key[1])

    def configure(self, snapshot: ConfigurationSnapshot, at: str) -> None:
        """Take over the capacity rules of a configuration."""
        self._snapshot = snapshot
        for key, agent in self.by_key.items():
            place = None if agent.record is None else agent.record.place
            capacity = capacity_of(snapshot, *key, place)
            if capacity != agent.capacity:
                agent.capacity = capacity
                agent.refresh(at)
                self.dirty.add(key)
                self.unsaved.add(key)

    def restore(self, key: AgentKey, record: AgentRecord) -> None:
        """Put back what a checkpoint held."""
        agent = self._agent(key)
        agent.record = record
        agent.capacity = capacity_of(self._snapshot, *key, record.place)

    def never_routable(self) -> list[str]:
        """`agent (medium)` for each session's medium that the agent's capacity rule does not allow."""
        return sorted(
            f"{name} ({media})"
            for (_, name), agent in self.by_key.items()
            if agent.record is not None
            for media in agent.record.ready
            if agent.capacity.get(media, 0) < 1
        )

    def _agent(self, key: AgentKey) -> Agent:
        agent = self.by_key.get(key)
        if agent is None:
            agent = self.by_key[key] = Agent(None, WITHOUT_RULE)
        return agent

    def _changed(self, key: AgentKey, agent: Agent, at: str) -> None:
        agent.refresh(at)
        self.dirty.add(key)
        self.unsaved.add(key)
        if agent.record is None and not agent.current:
            del self.by_key[key]

"""What an invariant is, and the log of one interaction node as the invariants read it.

The checks of the other files are made of these; run.py calls them after every step and every fault.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from paceline.assembly.stored_facts import NodeFacts
from paceline.simulator.whole.replay import Impossible, Replay
from paceline.wire.operations.event import Event

PAGE = 2000
"""Events read at a time (chosen)."""


class InvariantBroken(Exception):
    """What must always hold does not.

    Parameters
    ----------
    about
        Ids of the objects concerned; the last lines of the log about them are shown.
    """

    def __init__(self, invariant: str, what: str, *, about: Sequence[str] = ()) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.about = tuple(about)


class Invariant(Protocol):
    """One thing that must hold."""

    async def check_now(self) -> None:
        """Cheap: after every step.

        Raises
        ------
        InvariantBroken
            When it does not hold.
        """

    async def check_at_end(self) -> None:
        """When faults and traffic have ended and all is quiet; raises the same."""


class EventLog:
    """The events of one node in order, read from its store, and the state that they tell.

    Parameters
    ----------
    write
        Takes a line for each event.
    """

    NAME = "events have ids without a gap, each once, and tell a possible story"

    def __init__(self, facts: NodeFacts, *, write: Callable[[str], None]) -> None:
        self.facts = facts
        self.replay = Replay()
        self.changed: set[str] = set()
        self.changed_agents: set[str] = set()
        self._write = write
        self._watchers: list[Callable[[Event], None]] = []

    def watch(self, watcher: Callable[[Event], None]) -> None:
        """Shows each event before the replay takes it."""
        self._watchers.append(watcher)

    async def catch_up(self) -> int:
        """Reads what was committed since; how many events that was.

        Raises
        ------
        InvariantBroken
            When the events themselves are wrong, or a watcher finds it.
        """
        count = 0
        while True:
            found, is_all = await self.facts.events(self.replay.last_event_id, PAGE)
            for event in found:
                self._take(event)
            count += len(found)
            if is_all:
                return count

    def _take(self, event: Event) -> None:
        about = [name for name in (event.interaction_id, event.agent) if name]
        told = " ".join((event.name, event.actor, *about))
        self._write(f"{event.event_id} {told} {bytes(event.data).decode()}")
        expected = self.replay.last_event_id + 1
        if event.event_id != expected:
            raise InvariantBroken(
                self.NAME, f"event {event.event_id} follows {expected - 1}", about=about
            )
        for watcher in self._watchers:
            watcher(event)
        try:
            self.replay.take(event)
        except Impossible as problem:
            told = f"event {event.event_id} {event.name} of {' '.join(about)}: {problem}"
            raise InvariantBroken(self.NAME, told, about=about) from None
        if event.interaction_id is not None:
            self.changed.add(event.interaction_id)
        elif event.agent is not None:
            self.changed_agents.add(event.agent)

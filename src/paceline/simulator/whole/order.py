"""Invariants over the event log: pulls keep to the view's order, subscribers see every event once.

Watchers of `EventLog`; they judge each event at the state that the events before it tell.
"""

from collections.abc import Iterable

from paceline.model import events
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.wire.operations.event import Event


class ViewOrder:
    """What is pulled from a view is the first of what waited in it then.

    Judged for queues with one view that has neither condition nor order of its own.
    """

    NAME = "a pull respects the view's order"

    def __init__(self, log: EventLog, snapshot: ConfigurationSnapshot) -> None:
        self._log = log
        views = [view for _, view in snapshot.views.values()]
        special = {view.queue for view in views if view.condition.strip() or view.order.strip()}
        self._queues = {view.queue for view in views} - special
        log.watch(self._watch)

    def _watch(self, event: Event) -> None:
        if event.name != events.TAKEN_FROM_QUEUE or event.queue not in self._queues:
            return
        first = self._log.replay.first_waiting(event.queue or "")
        if first != event.interaction_id:
            depth = self._log.replay.depth(event.queue or "")
            raise InvariantBroken(
                self.NAME,
                f"event {event.event_id} takes {event.interaction_id} from '{event.queue}', "
                f"where {depth} waited and {first} was the first",
                about=[event.interaction_id or "", first or ""],
            )

    async def check_now(self) -> None:
        """New events are judged as they are read."""
        await self._log.catch_up()

    async def check_at_end(self) -> None:
        """The same."""
        await self._log.catch_up()


class SubscribersSeeAll:
    """A subscriber gets every event exactly once, in order, over reconnects: the very ones of the log."""

    NAME = "a subscriber sees every event exactly once, in order"

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._stored: dict[int, Event] = {}
        self._seen: dict[int, Event] = {}
        self._problem: InvariantBroken | None = None
        self.last_event_id = 0
        self.position: str | None = None
        log.watch(self._watch)

    def take(self, received: Iterable[Event], position: str) -> None:
        """What the stream brought."""
        for event in received:
            if event.event_id != self.last_event_id + 1 and self._problem is None:
                self._problem = InvariantBroken(
                    self.NAME,
                    f"event {event.event_id} came after {self.last_event_id}",
                    about=[event.interaction_id or ""],
                )
            self.last_event_id = event.event_id
            stored = self._stored.pop(event.event_id, None)
            if stored is None:
                self._seen[event.event_id] = event
            else:
                self._compare(stored, event)
        self.position = position

    def _watch(self, event: Event) -> None:
        seen = self._seen.pop(event.event_id, None)
        if seen is None:
            self._stored[event.event_id] = event
        else:
            self._compare(event, seen)

    def _compare(self, stored: Event, seen: Event) -> None:
        if seen != stored and self._problem is None:
            self._problem = InvariantBroken(
                self.NAME,
                f"event {stored.event_id} was sent as {seen.name} and stored as {stored.name}",
                about=[stored.interaction_id or "", seen.interaction_id or ""],
            )

    async def check_now(self) -> None:
        """What has come so far."""
        await self._log.catch_up()
        if self._problem is not None:
            raise self._problem
        for event_id, event in self._seen.items():  # the log is read: it must be there
            raise InvariantBroken(
                self.NAME,
                f"event {event_id} {event.name} was sent and is not in the log",
                about=[event.interaction_id or ""],
            )

    async def check_at_end(self) -> None:
        """All of it has come."""
        await self.check_now()
        if self._stored:
            missing = next(iter(self._stored.values()))
            raise InvariantBroken(
                self.NAME,
                f"{len(self._stored)} events never came, the first is {missing.event_id}",
                about=[missing.interaction_id or ""],
            )

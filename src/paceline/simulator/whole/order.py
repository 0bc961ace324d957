"""Invariants over the event log: pulls keep to the view's order, subscribers see every event once.

Watchers of `EventLog`; they judge each event at the state that the events before it tell.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from paceline.model import events
from paceline.model.instant import to_millis
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.simulator.whole.configuration import (
    DRAWER,
    LEAST_WEIGHT,
    LETTERS,
    PARCELS,
    REGION,
    REGION_LIMIT,
    WEIGHT,
)
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.replay import ToldInteraction
from paceline.wire.operations.event import Event


class ViewOrder:
    """What is pulled from a view is the first of what waited in it then.

    Judged for queues with one view that has neither condition nor order of its own, and for the
    rehearsed views with condition and order, and with segments. Not judged: the queue that snapshots
    lock, since locks have no events; workbins; conditions that time changes.
    """

    NAME = "a pull respects the view's order"

    def __init__(self, log: EventLog, snapshot: ConfigurationSnapshot) -> None:
        self._log = log
        views = [view for _, view in snapshot.views.values()]
        special = {view.queue for view in views if view.condition or view.order or view.segment_by}
        plain = {view.queue for view in views} - special - {DRAWER}
        self._firsts: dict[str, Callable[[str, int], ToldInteraction | None]]
        self._firsts = dict.fromkeys(plain, self._first)
        self._firsts[LETTERS] = self._heaviest
        self._firsts[PARCELS] = self._first_of_free_region
        log.watch(self._watch)

    def _watch(self, event: Event) -> None:
        judge = self._firsts.get(event.queue or "")
        if event.name != events.TAKEN_FROM_QUEUE or judge is None:
            return
        found = judge(event.queue or "", to_millis(event.at, field="at"))
        first = None if found is None else found.interaction_id
        if first != event.interaction_id:
            depth = self._log.replay.depth(event.queue or "")
            raise InvariantBroken(
                self.NAME,
                f"event {event.event_id} takes {event.interaction_id} from '{event.queue}', "
                f"where {depth} waited and {first} was the first",
                about=[event.interaction_id or "", first or ""],
            )

    def _first(self, queue: str, now: int) -> ToldInteraction | None:
        return next(self._log.replay.waiting(queue, now), None)

    def _heaviest(self, queue: str, now: int) -> ToldInteraction | None:
        """Condition `weight >= LEAST_WEIGHT`, order `weight DESC, received_at`; then the place."""
        able = [
            (-weight, told.received_at, told.queue_seq, told)
            for told in self._log.replay.waiting(queue, now)
            if isinstance(weight := told.values.get(WEIGHT), int) and weight >= LEAST_WEIGHT
        ]
        return min(able)[3] if able else None

    def _first_of_free_region(self, queue: str, now: int) -> ToldInteraction | None:
        """The default order, but for regions of which as many are in routing as may be."""
        busy = Counter(told.values.get(REGION) for told in self._log.replay.in_routing(queue))
        waiting = self._log.replay.waiting(queue, now)
        return next((t for t in waiting if busy[t.values.get(REGION)] < REGION_LIMIT), None)

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
        if seen != stored and _impersonal(seen) != _impersonal(stored) and self._problem is None:
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


def _impersonal(event: Event) -> Event:
    """The event without what an erasure may have taken away between its storing and its sending."""
    data = msgspec.json.decode(event.data)
    kept = {name: value for name, value in data.items() if name not in events.PERSONAL_FIELDS}
    return msgspec.structs.replace(event, data=msgspec.Raw(msgspec.json.encode(kept)))

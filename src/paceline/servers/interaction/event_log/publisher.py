"""Streams of events to subscribers: from a position through the backlog to what commits now.

A subscriber first reads the log to its end, then gets every commit; it goes live in the turn in which
its backlog is empty, so that there is no gap and no duplicate. One that takes notices too slowly
reads the log again, at its own pace: memory per reader stays bounded and nothing is lost.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.servers.interaction.event_log import store
from paceline.servers.interaction.event_log.position import position_text
from paceline.servers.interaction.event_log.store import Part
from paceline.servers.interaction.rules.event_filter import EventFilter
from paceline.storage.database import Database, DatabaseError
from paceline.wire.call import Peer
from paceline.wire.operations.event import Event, EventNotice, Subscribed

BACKLOG_PAGE = 2000
"""Events read from the log at a time for a subscriber with a filter (chosen: under 0.1 s of work)."""

STALLED_S = 60.0
"""Machine seconds without room for one more notice after which a reader is told to resync (chosen)."""

AGAIN_S = 1.0
"""Machine seconds until a backlog that the database did not give is asked for again (chosen)."""

RECENT_PARTS = 16
"""What commits while a backlog is read is kept this long, so that its reader can go live (chosen)."""

SILENT_EVENTS = 1000
"""Events that a filter may take before the reader is told how far it has come (chosen: one page)."""

_encode = msgspec.json.Encoder().encode
_log = get_log("interaction.events")


class _Subscriber:
    __slots__ = ("filter", "is_live", "is_open", "number", "peer", "position", "tenant", "told")

    def __init__(self, peer: Peer, tenant: int, position: int, wanted: EventFilter | None) -> None:
        self.peer = peer
        self.tenant = tenant
        self.position = position
        self.told = position
        self.filter = wanted
        self.number = 0
        self.is_live = False
        self.is_open = True


class EventPublisher:
    """Publishes the events of one node. `floor` is the last event id that retention has dropped."""

    def __init__(
        self,
        database: Database,
        machine: MachineTime,
        node_code: int,
        last_event_id: int,
        floor: int,
        tasks: TaskGroup,
    ) -> None:
        self._database = database
        self._machine = machine
        self._node_code = node_code
        self._tasks = tasks
        self._subscribers: list[_Subscriber] = []
        self._backlogs = 0
        self._recent: deque[Part] = deque(maxlen=RECENT_PARTS)
        self.last_event_id = last_event_id
        self.floor = floor

    def publish(self, parts: Iterable[Part]) -> None:
        """Events of one commit; live subscribers of their tenant get them now."""
        for part in parts:
            self.last_event_id = max(self.last_event_id, part.events[-1].event_id)
            if self._backlogs:
                self._recent.append(part)
            live = [s for s in self._subscribers if s.is_live and s.tenant == part.tenant]
            if live:
                self._tell(part, live)

    def subscribe(
        self, peer: Peer, tenant: int, after: int | None, wanted: EventFilter | None = None
    ) -> Subscribed:
        """Begins a stream after an event id; None begins with the next commit."""
        start = self.last_event_id if after is None else max(after, self.floor)
        subscriber = _Subscriber(peer, tenant, start, wanted)

        def end() -> None:
            subscriber.is_open = False
            self._subscribers.remove(subscriber)

        subscriber.number = peer.open_subscription(end)
        self._subscribers.append(subscriber)
        if start >= self.last_event_id:
            subscriber.is_live = True
        else:
            self._begin_backlog(subscriber)
        return Subscribed(
            subscription=subscriber.number,
            position=self.position_text(start),
            resync_required=after is not None and 0 < after < self.floor,
        )

    def position_text(self, event_id: int) -> str:
        """The position right after an event."""
        return position_text(self._node_code, event_id)

    # --- live -----------------------------------------------------------------------------------

    def _tell(self, part: Part, live: Sequence[_Subscriber]) -> None:
        last = part.events[-1].event_id
        bodies: dict[EventFilter | None, bytes] = {}
        for subscriber in live:
            if subscriber.position >= last:
                continue  # the backlog, read between commit and here, had it
            if not subscriber.peer.has_room:
                subscriber.is_live = False
                self._begin_backlog(subscriber)
                continue
            body = bodies.get(subscriber.filter)
            if body is None:
                body = bodies[subscriber.filter] = self._body(part, subscriber.filter, last)
            subscriber.position = last
            self._send(subscriber, body)

    def _body(self, part: Part, wanted: EventFilter | None, last: int) -> bytes:
        if wanted is None:
            return self._whole(part.text, last)
        return self._notice(_shown(part.events, wanted), last)

    def _whole(self, text: bytes, last: int) -> bytes:
        """A notice of events whose JSON is at hand."""
        return b'{"items":%s,"position":"%s"}' % (text, self.position_text(last).encode())

    def _notice(self, events: tuple[Event, ...], last: int) -> bytes:
        if not events:
            return b""
        return _encode(EventNotice(items=events, position=self.position_text(last)))

    def _send(self, subscriber: _Subscriber, body: bytes) -> None:
        if not body:
            if subscriber.position - subscriber.told < SILENT_EVENTS:
                return
            body = _encode(EventNotice(items=(), position=self.position_text(subscriber.position)))
        subscriber.told = subscriber.position
        subscriber.peer.notify_encoded("event.stream", body, subscription=subscriber.number)

    # --- backlog --------------------------------------------------------------------------------

    def _begin_backlog(self, subscriber: _Subscriber) -> None:
        self._tasks.start("event backlog", self._catch_up(subscriber))

    async def _catch_up(self, subscriber: _Subscriber) -> None:
        """Sends what the log holds behind the subscriber's position, as fast as it takes it."""
        self._backlogs += 1
        try:
            while await self._has_room(subscriber) and await self._send_page(subscriber):
                pass
        finally:
            self._backlogs -= 1
            if not self._backlogs:
                self._recent.clear()

    async def _has_room(self, subscriber: _Subscriber) -> bool:
        """Waits until the subscriber takes more; False when it does not or its stream is over."""
        try:
            async with asyncio.timeout(STALLED_S):
                await subscriber.peer.wait_for_room()
        except TimeoutError:
            if subscriber.is_open:
                self._end_stalled(subscriber)
        return subscriber.is_open

    async def _send_page(self, subscriber: _Subscriber) -> bool:
        """Sends one page; False when the subscriber is live or its stream over."""
        goal, before = self.last_event_id, subscriber.position
        try:
            body, reached, is_all = await self._page(subscriber)
        except (PacelineError, DatabaseError) as error:
            _log.warning("a stream waits for the database", why=str(error))
            await self._machine.sleep(AGAIN_S)
            return True
        if before < self.floor:  # retention dropped what it had not read yet
            subscriber.position = self.floor
            self._end_stalled(subscriber)
            return False
        subscriber.position = reached
        if reached > before:
            self._send(subscriber, body)
        return not (subscriber.is_open and is_all and self._goes_live(subscriber, goal))

    async def _page(self, subscriber: _Subscriber) -> tuple[bytes, int, bool]:
        """The next page of the log as a notice, how far it goes, and whether that is all there is."""
        wanted, after = subscriber.filter, subscriber.position
        if wanted is None:
            stretch = await store.read_stretch(self._database, subscriber.tenant, after)
            return self._whole(stretch.text, stretch.reached), stretch.reached, stretch.complete
        page = await store.read_after(
            self._database, subscriber.tenant, after, BACKLOG_PAGE, show=wanted.shown
        )
        return self._notice(page.events, page.reached), page.reached, page.complete

    def _goes_live(self, subscriber: _Subscriber, goal: int) -> bool:
        """Goes live when all that was published since `goal` is at hand; sends it then."""
        since = [part for part in self._recent if part.events[-1].event_id > goal]
        first = min((part.events[0].event_id for part in since), default=self.last_event_id + 1)
        if first > goal + 1:
            return False
        subscriber.is_live = True
        for part in since:
            if part.tenant == subscriber.tenant:
                self._tell(part, (subscriber,))
        return True

    def _end_stalled(self, subscriber: _Subscriber) -> None:
        _log.standard("a reader of events is too slow", client=subscriber.peer.client)
        subscriber.peer.resync(subscriber.number, self.position_text(subscriber.position))


def _shown(events: Iterable[Event], wanted: EventFilter) -> tuple[Event, ...]:
    return tuple(shown for event in events if (shown := wanted.shown(event)) is not None)

"""Streams of events to subscribers: from a stored position through the backlog to what commits now.

Each subscriber first reads the log to its end, then gets every commit; between the two there is no
gap and no duplicate, because a subscriber goes live in the same turn in which its backlog is empty.
"""

from collections.abc import Sequence

import msgspec

from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.event_log import store
from paceline.servers.interaction.event_log.position import position_text
from paceline.storage.database import Database
from paceline.wire.call import Peer
from paceline.wire.operations.event import Event, EventNotice

BACKLOG_PAGE = 2000
"""Events read from the log at a time for one subscriber (chosen: under a tenth of a second of work)."""

_encode = msgspec.json.Encoder().encode


class _Subscriber:
    __slots__ = ("is_live", "is_open", "number", "peer", "position", "tenant")

    def __init__(self, peer: Peer, tenant: int, position: int) -> None:
        self.peer = peer
        self.tenant = tenant
        self.position = position
        self.number = 0
        self.is_live = False
        self.is_open = True


class EventPublisher:
    """Publishes the events of one node."""

    def __init__(
        self, database: Database, node_code: int, last_event_id: int, tasks: TaskGroup
    ) -> None:
        self._database = database
        self._node_code = node_code
        self._tasks = tasks
        self._subscribers: list[_Subscriber] = []
        self.last_event_id = last_event_id

    def publish(self, tenant: int, events: Sequence[Event]) -> None:
        """Events of one commit; live subscribers of the tenant get them now."""
        self.last_event_id = max(self.last_event_id, events[-1].event_id)
        live = [s for s in self._subscribers if s.is_live and s.tenant == tenant]
        if live:
            last = events[-1].event_id
            body = _encode(EventNotice(items=tuple(events), position=self.position_text(last)))
            for subscriber in live:
                if subscriber.position >= last:
                    continue  # the backlog, read between commit and here, had it
                subscriber.peer.notify_encoded("event.stream", body, subscription=subscriber.number)
                subscriber.position = last

    def subscribe(self, peer: Peer, tenant: int, after: int | None) -> tuple[int, str]:
        """Begins a stream after an event id; None begins with the next commit."""
        subscriber = _Subscriber(peer, tenant, self.last_event_id if after is None else after)
        start = subscriber.position

        def end() -> None:
            subscriber.is_open = False
            self._subscribers.remove(subscriber)

        subscriber.number = peer.open_subscription(end)
        self._subscribers.append(subscriber)
        if start >= self.last_event_id:
            subscriber.is_live = True
        else:
            self._tasks.start("event backlog", self._catch_up(subscriber))
        return subscriber.number, self.position_text(start)

    def position_text(self, event_id: int) -> str:
        """The position right after an event."""
        return position_text(self._node_code, event_id)

    async def _catch_up(self, subscriber: _Subscriber) -> None:
        while subscriber.is_open:
            goal = self.last_event_id
            events, _ = await store.read_after(
                self._database, subscriber.tenant, subscriber.position, BACKLOG_PAGE
            )
            if events:
                subscriber.position = events[-1].event_id
                notice = EventNotice(items=events, position=events[-1].position)
                if not subscriber.peer.notify_encoded(
                    "event.stream", _encode(notice), subscription=subscriber.number
                ):
                    return
            elif goal == self.last_event_id:
                subscriber.is_live = True
                return

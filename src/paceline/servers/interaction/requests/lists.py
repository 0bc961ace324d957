"""Lists and events: queues and views with their depth, the log by position, its stream."""

from operator import attrgetter

from paceline.model.configuration import InteractionQueue
from paceline.model.instant import optional_text
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.event_log.position import event_id_of, position_text
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.store.node import count_view, read_queue_depths
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.event import EventPage, ReadEvents, StreamEvents, Subscribed
from paceline.wire.operations.interaction import QueueList, QueuePage, QueueRow, ViewPage, ViewRow
from paceline.wire.page import checked_limit, page_after


class ListRequests:
    """Handlers of queue.list, view.list, event.read and event.stream."""

    def __init__(self, node: NodeState, database: Database, publisher: EventPublisher) -> None:
        self._node = node
        self._database = database
        self._publisher = publisher

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "queue.list": self.queues,
            "view.list": self.views,
            "event.read": self.read_events,
            "event.stream": self.stream_events,
        }

    async def queues(self, call: Call, request: QueueList) -> QueuePage:
        """Interaction queues by name with what waits in them."""
        tenant = call.tenant_of(request.tenant)
        depths = await read_queue_depths(self._database, tenant)
        rows = []
        for item, queue in self._node.snapshot.all_of(InteractionQueue, tenant):
            depth, oldest = depths.get(item.id, (0, None))
            rows.append(
                QueueRow(
                    name=item.name,
                    depth=depth,
                    oldest_at=optional_text(oldest),
                    business_process=queue.business_process,
                )
            )
        rows.sort(key=lambda row: row.name)
        page, continuation = page_after(
            rows, request.continuation, request.limit, attrgetter("name")
        )
        return QueuePage(
            items=tuple(page), continuation=continuation, complete=continuation is None
        )

    async def views(self, call: Call, request: QueueList) -> ViewPage:
        """Views by name with how many waiting interactions each selects."""
        tenant = call.tenant_of(request.tenant)
        rows = [
            ViewRow(
                name=name,
                queue=view.queue,
                depth=await count_view(
                    self._database,
                    tenant_id=tenant,
                    queue_id=head.queue_id,
                    condition=head.condition,
                    now=self._node.times.business.now(),
                ),
                condition=view.condition,
                order=view.order,
            )
            for name, view, head in self._node.views.all_of(tenant)
        ]
        page, continuation = page_after(
            rows, request.continuation, request.limit, attrgetter("name")
        )
        return ViewPage(items=tuple(page), continuation=continuation, complete=continuation is None)

    async def read_events(self, call: Call, request: ReadEvents) -> EventPage:
        """Events after a position."""
        tenant = call.tenant_of(request.tenant)
        after = event_id_of(request.after, self._node.node_code)
        limit = checked_limit(request.limit)
        events, complete = await log_store.read_after(self._database, tenant, after, limit)
        last = events[-1].event_id if events else after
        return EventPage(
            items=events, position=position_text(self._node.node_code, last), complete=complete
        )

    async def stream_events(self, call: Call, request: StreamEvents) -> Subscribed:
        """Events as they are committed, after the backlog behind a position."""
        peer = call.needs_peer("event.stream")
        tenant = call.tenant_of(request.tenant)
        after = None if request.latest else event_id_of(request.after, self._node.node_code)
        number, position = self._publisher.subscribe(peer, tenant, after)
        return Subscribed(subscription=number, position=position)

"""Lists: queues and views with their depth."""

from operator import attrgetter

from paceline.model.configuration import InteractionQueue
from paceline.model.instant import optional_text
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.store.node import read_queue_depths
from paceline.servers.interaction.store.views import count_view
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import QueueList, QueuePage, QueueRow, ViewPage, ViewRow
from paceline.wire.page import page_after


class ListRequests:
    """Handlers of queue.list and view.list."""

    def __init__(self, node: NodeState, database: Database) -> None:
        self._node = node
        self._database = database

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "queue.list": self.queues,
            "view.list": self.views,
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
                queue=self._node.names.get(head.queue_id, view.queue),
                depth=await count_view(
                    self._database,
                    tenant_id=tenant,
                    queue_id=head.queue_id,
                    condition=head.condition,
                    now=self._node.times.business.now(),
                ),
                condition=view.condition,
                order=view.order,
                segment_by=view.segment_by,
                segment_limit=view.segment_limit,
                max_interactions=view.max_interactions,
                in_routing=head.limits.total if head.limits.is_limited else None,
            )
            for name, view, head in self._node.views.all_of(tenant)
        ]
        page, continuation = page_after(
            rows, request.continuation, request.limit, attrgetter("name")
        )
        return ViewPage(items=tuple(page), continuation=continuation, complete=continuation is None)

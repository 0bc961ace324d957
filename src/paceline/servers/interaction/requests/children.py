"""Children of an interaction: those that name it as their parent."""

from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.wire_form import wire_form
from paceline.servers.interaction.store.selection import select_children
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import Children, Found
from paceline.wire.page import checked_limit


class ChildRequests:
    """Handler of interaction.children."""

    def __init__(self, node: NodeState, database: Database) -> None:
        self._node = node
        self._database = database

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"interaction.children": self.children}

    async def children(self, call: Call, request: Children) -> Found:
        """Children by id, page by page; none when the parent does not exist."""
        limit = checked_limit(request.limit)
        node = self._node
        found = await select_children(
            self._database,
            node.shape,
            call.tenant_of(request.tenant),
            request.interaction_id,
            after=request.continuation or "",
            limit=limit + 1,
        )
        items = tuple(
            wire_form(row, node.names, data, stopped_at=stopped_at, stop_reason=reason)
            for row, stopped_at, reason, data in found[:limit]
        )
        more = len(found) > limit
        return Found(
            interactions=items,
            continuation=items[-1].interaction_id if more else None,
            complete=not more,
        )

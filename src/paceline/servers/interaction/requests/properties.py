"""Properties: reading one interaction, changing its user data, and searching."""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.shown import shown
from paceline.servers.interaction.requests.lane import NodeLane, actor_of, check_ownership
from paceline.servers.interaction.requests.once import submit_once
from paceline.servers.interaction.requests.property_changes import (
    Changes,
    change_properties,
    check_parent,
)
from paceline.servers.interaction.requests.searches import parsed, smaller
from paceline.servers.interaction.rules.keyset import condition_after, token_after
from paceline.servers.interaction.rules.wire_form import state_answer, wire_form
from paceline.servers.interaction.store.selection import (
    Wanted,
    select_unfinished,
    select_with_finished,
)
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import (
    ChangeProperties,
    Find,
    Found,
    Interaction,
    Ref,
    StateAnswer,
)


class PropertyRequests:
    """Handlers of get, change and find."""

    def __init__(self, lane: NodeLane, database: Database) -> None:
        self._lane = lane
        self._database = database

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.get": self.get,
            "interaction.change": self.change,
            "interaction.find": self.find,
        }

    def get(self, call: Call, request: Ref) -> "asyncio.Future[Interaction]":
        """All properties, as of this request's turn among the changes."""
        key = (call.tenant_of(request.tenant), request.interaction_id)

        def apply(node: NodeState) -> Interaction:
            found = shown(node, key)
            if found is None:
                raise PacelineError(
                    "not_found",
                    f"interaction '{key[1]}' does not exist",
                    field="interaction_id",
                )
            return found

        return self._lane.submit(call, Work(apply, keys=(key,), reads_data=True))

    def change(self, call: Call, request: ChangeProperties) -> "asyncio.Future[StateAnswer]":
        """Adds, changes and deletes user data keys, and the system properties a client may change."""
        tenant = call.tenant_of(request.tenant)
        key = (tenant, request.interaction_id)
        actor = actor_of(call)
        changes = Changes.of(request)
        parent = () if request.parent_id is None else ((tenant, request.parent_id),)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            check_ownership(node, row, call, request.agent)
            if request.parent_id is not None:
                check_parent(node, key, (tenant, request.parent_id))
            return state_answer(change_properties(node, row, changes, actor, call.peer))

        work = Work(apply, keys=(key, *parent), reads_data=True)
        return submit_once(self._lane, call, "interaction.change", request, work, StateAnswer)

    async def find(self, call: Call, request: Find) -> Found:
        """Interactions that meet a condition, page by page, by submission without an order.

        Pages go on behind the last one given, so that what comes and goes meanwhile moves nothing else.
        """
        tenant = call.tenant_of(request.tenant)
        limit = smaller(self._lane, request.limit, "max-interactions-per-find")
        node = self._lane.node
        condition, terms = parsed(node, tenant, request.condition, request.order)
        select = select_with_finished if request.include_finished else select_unfinished
        rows = await select(
            self._database,
            node.shape,
            Wanted(tenant, condition, terms),
            after=condition_after(terms, request.continuation),
            now=node.times.business.now(),
            limit=limit + 1,
        )
        more = len(rows) > limit
        return Found(
            interactions=tuple(
                wire_form(row, node.names, data, stopped_at=stopped_at, stop_reason=reason)
                for row, stopped_at, reason, data in rows[:limit]
            ),
            continuation=token_after(terms, rows[limit - 1][0]) if more else None,
            complete=not more,
        )

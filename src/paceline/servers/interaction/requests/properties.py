"""Properties: reading one interaction, changing its user data, and searching."""

import asyncio

import msgspec

from paceline.errors.failure import PacelineError
from paceline.expressions.view_parse import bind_names, parse_condition, parse_order
from paceline.model import events
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.servers.interaction.rules.wire_form import state_answer, wire_form
from paceline.servers.interaction.store.node import find_rows
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
from paceline.wire.page import number_of
from paceline.wire.user_data import checked

_encode = msgspec.json.Encoder().encode
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


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
            done = node.finished(key)
            if done is not None:
                return wire_form(
                    done.row,
                    node.names,
                    node.user_data(key),
                    stopped_at=done.stopped_at,
                    stop_reason=done.stop_reason,
                )
            return wire_form(node.row(key), node.names, node.user_data(key))

        return self._lane.submit(call, Work(apply, keys=(key,), reads_data=True))

    def change(self, call: Call, request: ChangeProperties) -> "asyncio.Future[StateAnswer]":
        """Adds, changes and deletes user data keys."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)
        both = set(request.added) & set(request.deleted) | set(request.changed) & set(
            request.deleted
        )
        if both:
            raise PacelineError(
                "invalid_attribute", f"key '{min(both)}' is both set and deleted", field="deleted"
            )

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            keys = _top_level.decode(node.user_data(key))
            keys.update(request.added)
            keys.update(request.changed)
            for name in request.deleted:
                keys.pop(name, None)
            text = _encode(keys)
            checked(text)
            node.change_data(key, text.decode())
            new = replace(
                row, properties_version=row.properties_version + 1, version=row.version + 1
            )
            node.put(row, new)
            changed = sorted({*request.added, *request.changed, *request.deleted})
            node.event(
                events.PROPERTIES_CHANGED,
                actor,
                row=new,
                data={"changed": changed, "keys": filter_values_in(node.user_data(key))},
            )
            return state_answer(new)

        return self._lane.submit(call, Work(apply, keys=(key,), reads_data=True))

    async def find(self, call: Call, request: Find) -> Found:
        """Interactions in work that meet a condition, page by page.

        In the order of submission, the default, pages go on behind the last one given, so that what
        comes and goes meanwhile moves nothing else; in an order of its own by the number given.
        """
        tenant = call.tenant_of(request.tenant)
        most = self._lane.settings.current.integer("settings", "max-interactions-per-find")
        if request.limit < 1:
            raise PacelineError("invalid_attribute", "limit is at least 1", field="limit")
        limit = min(request.limit, most)
        given = number_of(request.continuation) or 0
        terms = parse_order(request.order)
        node = self._lane.node
        rows = await find_rows(
            self._database,
            tenant_id=tenant,
            condition=bind_names(
                parse_condition(request.condition),
                lambda referred, name: node.snapshot.id_named(tenant, referred, name),
            ),
            terms=terms,
            now=node.times.business.now(),
            after_seq=0 if terms else given,
            offset=given if terms else 0,
            limit=limit + 1,
        )
        more = len(rows) > limit
        return Found(
            interactions=tuple(wire_form(row, node.names, data) for row, data in rows[:limit]),
            continuation=str(given + limit if terms else rows[limit - 1][0].submit_seq)
            if more
            else None,
            complete=not more,
        )

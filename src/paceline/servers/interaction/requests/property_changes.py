"""Changes of properties: on their own, or in one step with a placement; told to the agents who have it."""

from collections.abc import Mapping
from functools import partial

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.interaction import Row
from paceline.runtime.ids import node_code_of
from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace
from paceline.servers.interaction.requests.lane import handlers_of
from paceline.servers.interaction.rules.destinations import Destinations, packed, unpacked
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.wire.call import Peer
from paceline.wire.operations.interaction import ChangeProperties, PlaceInQueue, PropertiesChanged
from paceline.wire.operations.workbin import PlaceInWorkbin
from paceline.wire.user_data import checked

PROPERTIES_CHANGED = "interaction.properties_changed"

_encode = msgspec.json.Encoder().encode
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Changes(msgspec.Struct, frozen=True):
    """What a request wants changed: user data keys, columns of the row by name, suggested queues."""

    values: Mapping[str, msgspec.Raw] = {}
    deleted: tuple[str, ...] = ()
    columns: Mapping[str, object] = {}
    in_queues: tuple[str, ...] | None = None
    out_queues: tuple[str, ...] | None = None

    @classmethod
    def of(cls, request: ChangeProperties | PlaceInQueue | PlaceInWorkbin) -> "Changes":
        """The changes of a request.

        Raises
        ------
        PacelineError
            `invalid_attribute` when a key is both set and deleted.
        """
        both = (request.added.keys() | request.changed.keys()) & set(request.deleted)
        if both:
            raise PacelineError(
                "invalid_attribute", f"key '{min(both)}' is both set and deleted", field="deleted"
            )
        values = {**request.added, **request.changed}
        if not isinstance(request, ChangeProperties):
            return cls(values, request.deleted)
        columns = {
            name: value
            for name in ("external_id", "parent_id", "priority")
            if (value := getattr(request, name)) is not None
        }
        return cls(values, request.deleted, columns, request.in_queues, request.out_queues)

    @property
    def suggestions(self) -> dict[str, tuple[str, ...]]:
        """The lists of queues that are to be replaced, by property."""
        found = {"in_queues": self.in_queues, "out_queues": self.out_queues}
        return {name: queues for name, queues in found.items() if queues is not None}

    def __bool__(self) -> bool:
        return bool(self.values or self.deleted or self.columns or self.suggestions)


def change_properties(
    node: NodeState, row: Row, changes: Changes, actor: str, peer: Peer | None
) -> Row:
    """Makes the changes; every agent who has it is told, but for the session that asked.

    So is the media server that submitted it, if it wanted that and is not the one who asked.
    """
    key = row.key
    suggestions = changes.suggestions
    destinations = row.destinations
    if suggestions:
        destinations = _destinations(node, row, suggestions)
    if changes.values or changes.deleted:
        keys = _top_level.decode(node.user_data(key))
        keys.update(changes.values)
        for name in changes.deleted:
            keys.pop(name, None)
        text = _encode(keys)
        checked(text)
        node.change_data(key, text.decode())
    new = replace(
        row,
        properties_version=row.properties_version + 1,
        version=row.version + 1,
        custom=node.custom.of(key[0], node.user_data(key)),
        destinations=destinations,
        **changes.columns,
    )
    node.put(row, new)
    changed = sorted({*changes.values, *changes.deleted, *changes.columns, *suggestions})
    told: dict[str, object] = {"changed": changed, "keys": filter_values_in(node.user_data(key))}
    if "priority" in changes.columns:
        told["priority"] = new.priority
    told |= suggestions
    node.event(events.PROPERTIES_CHANGED, actor, row=new, data=told)
    notice = PropertiesChanged(
        interaction_id=row.interaction_id,
        properties_version=new.properties_version,
        changed=dict(changes.values),
        deleted=changes.deleted,
        in_queues=changes.in_queues,
        out_queues=changes.out_queues,
        actor=actor,
    )
    for agent_id in handlers_of(node, new):
        parties.tell(node, key[0], agent_id, PROPERTIES_CHANGED, notice, but=peer)
    for submitter in node.property_echo.of(new, actor):
        node.after_commit(partial(submitter.notify, PROPERTIES_CHANGED, notice))
    return new


def _destinations(
    node: NodeState, row: Row, suggestions: Mapping[str, tuple[str, ...]]
) -> str | None:
    """The column with the lists of queues that a request replaces."""
    ids = {
        name: node.queue_ids(row.tenant_id, queues, field=name)
        for name, queues in suggestions.items()
    }
    before = unpacked(row.destinations)
    return packed(
        Destinations(ids.get("in_queues", before.in_ids), ids.get("out_queues", before.out_ids))
    )


def check_parent(node: NodeState, child: tuple[int, str] | None, parent: tuple[int, str]) -> None:
    """Refuses a parent that is not there; loaded before. What another node made is not looked for.

    Raises
    ------
    PacelineError
        `invalid_attribute` when no such interaction is or was there.
    """
    code = node_code_of(parent[1])
    is_there = node.known(parent) is not None or node.finished(parent) is not None
    is_foreign = code is not None and code != node.node_code
    if parent == child or not (is_there or is_foreign):
        raise PacelineError(
            "invalid_attribute",
            f"parent interaction '{parent[1]}' does not exist",
            field="parent_id",
        )

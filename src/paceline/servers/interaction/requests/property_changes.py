"""Changes of properties: on their own, or in one step with a placement; told to the agents who have it."""

from collections.abc import Mapping

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.interaction import Row
from paceline.runtime.ids import node_code_of
from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace
from paceline.servers.interaction.requests.lane import handlers_of
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.wire.call import Peer
from paceline.wire.operations.interaction import ChangeProperties, PlaceInQueue, PropertiesChanged
from paceline.wire.operations.workbin import PlaceInWorkbin
from paceline.wire.user_data import checked

_encode = msgspec.json.Encoder().encode
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Changes(msgspec.Struct, frozen=True):
    """What a request wants changed: user data keys, and columns of the row by name."""

    values: Mapping[str, msgspec.Raw] = {}
    deleted: tuple[str, ...] = ()
    columns: Mapping[str, object] = {}

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
        columns = {}
        if isinstance(request, ChangeProperties):
            columns = {
                name: value
                for name in ("external_id", "parent_id", "priority")
                if (value := getattr(request, name)) is not None
            }
        return cls({**request.added, **request.changed}, request.deleted, columns)

    def __bool__(self) -> bool:
        return bool(self.values or self.deleted or self.columns)


def change_properties(
    node: NodeState, row: Row, changes: Changes, actor: str, peer: Peer | None
) -> Row:
    """Makes the changes; every agent who has it is told, but for the session that asked."""
    key = row.key
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
        **changes.columns,
    )
    node.put(row, new)
    changed = sorted({*changes.values, *changes.deleted, *changes.columns})
    told: dict[str, object] = {"changed": changed, "keys": filter_values_in(node.user_data(key))}
    if "priority" in changes.columns:
        told["priority"] = new.priority
    node.event(events.PROPERTIES_CHANGED, actor, row=new, data=told)
    notice = PropertiesChanged(
        interaction_id=row.interaction_id,
        properties_version=new.properties_version,
        changed=dict(changes.values),
        deleted=changes.deleted,
        actor=actor,
    )
    for agent_id in handlers_of(node, new):
        parties.tell(node, key[0], agent_id, "interaction.properties_changed", notice, but=peer)
    return new


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

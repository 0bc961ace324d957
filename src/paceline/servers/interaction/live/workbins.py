"""What enters and leaves workbins, each with its event and a notice to those who watch.

Called by transitions.py, which has changed the row already.
"""

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.configuration import OwnerType, Workbin
from paceline.model.interaction import Row
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.wire.operations.workbin import Change, WorkbinContentChanged


def bin_of(row: Row) -> Bin | None:
    """The workbin that it is in, or was pulled from."""
    if row.workbin_id is None:
        return None
    return Bin(row.tenant_id, row.workbin_id, row.workbin_owner_id or 0)


def placed(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """It is in its workbin now."""
    _change(node, row, events.PLACED_IN_WORKBIN, "placed", actor, reason)


def taken(node: NodeState, row: Row, actor: str, reason: str | None = None) -> None:
    """It leaves the workbin that it is in; one that is in none is no matter."""
    if row.state == 0:
        _change(node, row, events.TAKEN_FROM_WORKBIN, "taken", actor, reason)


def _change(
    node: NodeState, row: Row, event: str, change: Change, actor: str, reason: str | None
) -> None:
    place = bin_of(row)
    if place is None:
        return
    words = workbin_words(node, place.workbin_id)
    workbin, owner_type = words or ("", "")
    owner = node.names.get(place.owner_id, "")
    data = {"workbin": workbin, "owner_type": owner_type, "owner": owner}
    node.event(event, actor, row=row, with_queue=True, reason=reason, data=data)
    if words is None:  # deleted with content: nobody can be told which one
        return
    notice = WorkbinContentChanged(
        interaction_id=row.interaction_id,
        workbin=words[0],
        owner_type=words[1],
        owner=owner,
        change=change,
    )

    def tell() -> None:
        for peer, number in node.workbin_watchers.of(place):
            peer.notify("workbin.stream", notice, subscription=number)

    node.after_commit(tell)


def workbin_of(node: NodeState, tenant: int, name: str, owner: str) -> tuple[int, int]:
    """Ids of a workbin and of an owner of its type.

    Raises
    ------
    PacelineError
        `invalid_attribute` when either does not exist.
    """
    found = node.snapshot.named(tenant, Workbin, "scripts", name)
    if found is None or not isinstance(found.body, Workbin):
        raise PacelineError(
            "invalid_attribute",
            f"workbin '{name}' does not exist in tenant {tenant}; create it or name another",
            field="workbin",
        )
    owner_type = found.body.owner_type
    owner_id = owner_id_of(node, tenant, owner_type, owner)
    if owner_id is None:
        raise PacelineError(
            "invalid_attribute",
            f"{owner_type.replace('_', ' ')} '{owner}' does not exist; workbin '{name}' needs one",
            field="owner",
        )
    return found.id, owner_id


def owner_id_of(node: NodeState, tenant: int, owner_type: str, name: str) -> int | None:
    """The id of an agent, agent group, place or place group by name."""
    key = (tenant, name)
    match owner_type:
        case "agent":
            agent = node.snapshot.agents.get(key)
            return agent[0] if agent else None
        case "agent_group":
            group = node.snapshot.agent_groups.get(key)
            return group[0] if group else None
        case "place":
            return node.snapshot.places.get(key)
        case _:
            return node.snapshot.place_groups.get(key)


def workbin_words(node: NodeState, workbin_id: int) -> tuple[str, OwnerType] | None:
    """Name and owner type of a workbin; None when it was deleted."""
    found = node.snapshot.objects.get(("scripts", workbin_id))
    if found is None or not isinstance(found.body, Workbin):
        return None
    return found.name, found.body.owner_type

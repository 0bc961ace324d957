"""Locks of snapshots, as all requests that move an interaction see them.

A lock keeps what it locks where the snapshot found it: only the snapshot's own client moves it, which
ends the lock, and everybody may still end the interaction.
"""

from paceline.errors.failure import PacelineError
from paceline.model.interaction import Row
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace
from paceline.wire.call import Call


def owner_of(call: Call) -> str:
    """Whose the snapshots of a caller are."""
    return f"{call.principal.name}:{call.client}"


def check_lock(node: NodeState, row: Row, call: Call) -> None:
    """Refuses to move what the snapshot of another client locks.

    Raises
    ------
    PacelineError
        `not_allowed`, field interaction_id.
    """
    snapshot_id = node.snapshots.locks.get(row.key) if row.is_locked else None
    if snapshot_id is None:
        return
    head = node.snapshots.find((row.tenant_id, snapshot_id))
    if head is not None and head.owner != owner_of(call):
        raise PacelineError(
            "not_allowed",
            f"interaction '{row.interaction_id}' is locked by a snapshot of another client; it can be "
            "moved when that is released",
            field="interaction_id",
        )


def without_lock(node: NodeState, row: Row) -> Row:
    """The interaction without the lock of a snapshot; one that has none stays as it is."""
    if not row.is_locked or node.snapshots.locks.pop(row.key, None) is None:
        return row
    new = replace(row, is_locked=False, version=row.version + 1)
    node.put(row, new)
    return new

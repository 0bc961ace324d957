"""Snapshots in SQL: heads are kept in memory too, lists are read when somebody asks."""

from collections.abc import Sequence

import msgspec

from paceline.model.interaction_snapshot import SNAPSHOT_COLUMNS, InteractionSnapshot
from paceline.servers.interaction.store.node import INTERACTIONS, Key
from paceline.storage.database import Database, Queries, Transaction

SNAPSHOTS = "interaction.snapshots"
ITEMS = "interaction.snapshot_items"
_KEY = ("tenant_id", "snapshot_id")
_ITEM_COLUMNS = (*_KEY, "place", "interaction_id")

Item = tuple[int, str, int, str]
"""Tenant, snapshot, place, interaction."""


async def read_snapshots(queries: Queries) -> list[InteractionSnapshot]:
    """Every snapshot that was not released."""
    rows = await queries.fetch(f"SELECT {', '.join(SNAPSHOT_COLUMNS)} FROM {SNAPSHOTS}")
    return [
        InteractionSnapshot(r[0], r[1], r[2], r[3], r[4], r[5], bool(r[6]), r[7], r[8])
        for r in rows
    ]


async def read_locked(queries: Queries) -> dict[Key, str]:
    """What snapshots lock, and which: the last one that took it, unless it was moved out of the lock."""
    rows = await queries.fetch(
        f"SELECT i.tenant_id, i.interaction_id, i.snapshot_id FROM {ITEMS} i "
        f"JOIN {SNAPSHOTS} s ON s.tenant_id = i.tenant_id AND s.snapshot_id = i.snapshot_id "
        f"JOIN {INTERACTIONS} r ON r.tenant_id = i.tenant_id "
        "AND r.interaction_id = i.interaction_id "
        "WHERE s.is_locking AND r.is_locked ORDER BY s.taken_at"
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def read_items(database: Database, key: Key, start: int, count: int) -> list[str]:
    """Ids of a part of a snapshot in its order."""
    rows = await database.fetch(
        f"SELECT interaction_id FROM {ITEMS} WHERE tenant_id = $1 AND snapshot_id = $2 "
        f"AND place >= $3 ORDER BY place LIMIT {count}",
        *key,
        start,
    )
    return [row[0] for row in rows]


async def write_snapshots(
    transaction: Transaction, new: Sequence[InteractionSnapshot], items: Sequence[Item]
) -> None:
    """New snapshots with their lists."""
    await transaction.insert_rows(
        SNAPSHOTS, SNAPSHOT_COLUMNS, [msgspec.structs.astuple(head) for head in new]
    )
    if items:
        await transaction.insert_rows(ITEMS, _ITEM_COLUMNS, items)


async def delete_snapshots(transaction: Transaction, keys: Sequence[Key]) -> None:
    """Released snapshots."""
    await transaction.delete_rows(SNAPSHOTS, _KEY, keys)
    for tenant_id, snapshot_id in keys:
        await transaction.execute(
            f"DELETE FROM {ITEMS} WHERE tenant_id = $1 AND snapshot_id = $2", tenant_id, snapshot_id
        )

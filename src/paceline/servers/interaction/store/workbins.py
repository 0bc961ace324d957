"""Counts of workbins in SQL."""

from collections.abc import Iterable

from paceline.servers.interaction.store.node import INTERACTIONS
from paceline.storage.database import Database, Queries

BinKey = tuple[int, int, int]
"""Tenant, workbin, owner."""


async def count_workbins(
    database: Database, tenant_id: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """Number and oldest placement of what is in workbins, by workbin and owner."""
    rows = await database.fetch(
        "SELECT workbin_id, workbin_owner_id, count(*), min(queued_at) "
        f"FROM {INTERACTIONS} WHERE tenant_id = $1 AND workbin_id IS NOT NULL AND state = 0 "
        "GROUP BY workbin_id, workbin_owner_id",
        tenant_id,
    )
    return {(r[0], r[1]): (r[2], r[3]) for r in rows}


async def count_bins(queries: Queries, bins: Iterable[BinKey]) -> dict[BinKey, int]:
    """How much is in each of these workbins."""
    return {place: await _count(queries, place) for place in set(bins)}


async def _count(queries: Queries, place: BinKey) -> int:
    [[found]] = await queries.fetch(
        f"SELECT count(*) FROM {INTERACTIONS} WHERE tenant_id = $1 AND workbin_id = $2 "
        "AND workbin_owner_id = $3 AND state = 0",
        *place,
    )
    return int(found)

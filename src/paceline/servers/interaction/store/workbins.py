"""Counts of workbins in SQL."""

from paceline.servers.interaction.store.node import INTERACTIONS
from paceline.storage.database import Database


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

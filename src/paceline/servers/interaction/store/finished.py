"""Finished interactions: their removal after retention, with everything that is kept under their key."""

from collections.abc import Sequence

from paceline.model.interaction import KEY_COLUMNS
from paceline.servers.interaction.store.node import CLIENT_IDS, DATA, FINISHED, Key
from paceline.storage.database import Database, Transaction

FOLLOWERS = (DATA, CLIENT_IDS)
"""Tables with rows of an interaction that outlive its end and go with it."""


async def page_of(database: Database, table: str, after: Key, limit: int) -> list[Key]:
    """Keys behind `after`, in order, of all interactions in a partition."""
    rows = await database.fetch(
        f"SELECT tenant_id, interaction_id FROM {table} WHERE (tenant_id, interaction_id) > ($1, $2) "
        f"ORDER BY tenant_id, interaction_id LIMIT {limit}",
        *after,
    )
    return [(row[0], row[1]) for row in rows]


async def oldest(database: Database, table: str, limit: int, *, before: int) -> list[Key]:
    """Keys of those in a table or partition that stopped first, before an instant."""
    rows = await database.fetch(
        f"SELECT tenant_id, interaction_id FROM {table} WHERE stopped_at < $1 "
        f"ORDER BY stopped_at LIMIT {limit}",
        before,
    )
    return [(row[0], row[1]) for row in rows]


async def delete_followers(transaction: Transaction, *, keys: Sequence[Key]) -> None:
    """Deletes what finished interactions leave in other tables."""
    for table in FOLLOWERS:
        await transaction.delete_rows(table, KEY_COLUMNS, keys)


async def delete_finished(transaction: Transaction, *, keys: Sequence[Key]) -> None:
    """Deletes finished interactions and what they leave in other tables."""
    await delete_followers(transaction, keys=keys)
    await transaction.delete_rows(FINISHED, KEY_COLUMNS, keys)

"""Deletes expired client tokens and keys, and old records of batches: some at a time, oldest first."""

from paceline.servers.interaction.store.node import TOKENS
from paceline.storage.database import Database

_TOKENS_UNTIL_0007 = "interaction.submit_tokens"
"""Written by programs of schema 7, which may run beside this one; their rows are in both tables."""


async def delete_tokens(database: Database, now: int, limit: int) -> int:
    """Client tokens and idempotency keys that expired before a business instant; how many went."""
    key = "tenant_id, caller, operation, token"
    gone = await _delete_expired(database, _TOKENS_UNTIL_0007, key, now, limit)
    return gone + await _delete_expired(database, TOKENS, "key", now, limit - gone)


async def _delete_expired(database: Database, table: str, key: str, now: int, limit: int) -> int:
    return await database.execute(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} "
        f"WHERE expires_at < $1 ORDER BY expires_at LIMIT {limit})",
        now,
    )


async def delete_batches(database: Database, before: int, limit: int) -> int:
    """Records of batches committed before a machine instant; how many went."""
    return await database.execute(
        "DELETE FROM interaction.batch WHERE batch_id IN (SELECT batch_id FROM interaction.batch "
        f"WHERE committed_at < $1 ORDER BY committed_at LIMIT {limit})",
        before,
    )

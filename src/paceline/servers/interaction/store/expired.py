"""Deletes expired client tokens and keys, and old records of batches: some at a time, oldest first."""

from paceline.servers.interaction.store.node import TOKENS
from paceline.storage.database import Database

_TOKEN_KEY = "tenant_id, caller, operation, token"


async def delete_tokens(database: Database, now: int, limit: int) -> int:
    """Client tokens and idempotency keys that expired before a business instant; how many went."""
    return await database.execute(
        f"DELETE FROM {TOKENS} WHERE ({_TOKEN_KEY}) IN (SELECT {_TOKEN_KEY} FROM {TOKENS} "
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

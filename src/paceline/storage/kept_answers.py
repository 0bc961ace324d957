"""Answers kept under idempotency keys, in a table `<schema>.kept_answers` of each server that needs it.

Read before a batch is decided, written in its transaction, deleted when they have expired.
"""

from collections.abc import Mapping, Sequence

from paceline.storage.database import Database, Queries, Transaction
from paceline.units.quantities import Millis
from paceline.wire.once import KeptAnswer, Once

_KEY_COLUMNS = ("tenant_id", "caller", "operation", "key")
_COLUMNS = (*_KEY_COLUMNS, "expires_at", "body_hash", "answer")


async def read(queries: Queries, schema: str, keys: Sequence[Once]) -> dict[Once, KeptAnswer]:
    """What is kept under some keys."""
    if not keys:
        return {}
    wanted = (*_KEY_COLUMNS, "body_hash", "answer")
    rows = await queries.fetch_keys(
        f"{schema}.kept_answers", wanted, _KEY_COLUMNS, list(dict.fromkeys(keys))
    )
    return {Once(*row[:4]): KeptAnswer(bytes(row[4]), row[5]) for row in rows}


async def write(
    transaction: Transaction, schema: str, answers: Mapping[Once, KeptAnswer], expires_at: Millis
) -> None:
    """Keeps answers until an instant."""
    rows = [(*key, expires_at, one.body_hash, one.answer) for key, one in answers.items()]
    if rows:
        await transaction.insert_rows(f"{schema}.kept_answers", _COLUMNS, rows)


async def forget_expired(database: Database, schema: str, now: Millis) -> int:
    """Deletes what has expired; how many rows."""
    return await database.execute(f"DELETE FROM {schema}.kept_answers WHERE expires_at < $1", now)

"""What goes by key on PostgreSQL goes by the index, also when it was planned while the table was empty."""

import asyncio
from collections.abc import Sequence

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Database, Transaction
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

KEYS = ("tenant_id", "id")
ROWS = 20_000


async def _emptied(database: Database, state: str) -> None:
    """A table in the state in which a night without work leaves it."""
    await database.change_schema(
        "CREATE TABLE kept (tenant_id integer, id text, value text, PRIMARY KEY (tenant_id, id))"
    )
    if state != "new":
        await _fill(database)
        left = 1 if state == "one row left" else 0
        await database.execute(f"DELETE FROM kept WHERE id > 'i{left}'")
        await database.change_schema("VACUUM (ANALYZE) kept")


async def _fill(database: Database) -> None:
    await database.execute(
        f"INSERT INTO kept SELECT 1, 'i' || n, '' FROM generate_series(1, {ROWS}) n "
        "ON CONFLICT DO NOTHING"
    )


async def _all_by_key(database: Database, rows: Sequence[tuple[int, str]]) -> None:
    async def work(transaction: Transaction) -> None:
        found = await transaction.fetch_keys("kept", KEYS, KEYS, rows)
        assert len(found) in (0, 1, len(rows))
        changed = [(*key, "x") for key in rows[1:]]
        await transaction.update_rows("kept", KEYS, ("value",), changed)
        await transaction.delete_rows("kept", KEYS, rows[:1])

    await database.transaction(work)


async def _entries_read(database: Database) -> int:
    """Entries of the table's index that statements have read so far."""

    async def tell(transaction: Transaction) -> None:
        await transaction.fetch("SELECT pg_stat_force_next_flush()")

    await database.transaction(tell)  # the writing connection tells what it did
    [[read]] = await database.fetch(
        "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'kept'"
    )
    return int(read)


@pytest.mark.parametrize("state", ["new", "emptied", "one row left"])
def test_a_plan_made_on_an_empty_table_serves_a_full_one(postgres_url: str, state: str) -> None:
    """Reading, changing and deleting by key looks at the rows named and no others, whenever planned."""

    async def scenario() -> None:
        database = open_database(from_url(postgres_url), times=real_times(), pool_size=1)
        await _emptied(database, state)
        rows = [(1, f"i{n}") for n in range(100, 200)]
        await _all_by_key(database, rows)  # planned here, and kept
        await _fill(database)
        before = await _entries_read(database)
        await _all_by_key(database, rows)
        assert await _entries_read(database) - before < 10 * len(rows)
        await database.close()

    asyncio.run(scenario())

"""Keyed statements use the key's index, even when they were planned on a nearly empty table."""

import asyncio

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Transaction
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

KEY = ("tenant_id", "name")
ROWS = 20_000


def test_a_plan_made_on_a_tiny_table_still_goes_by_key(postgres_url: str) -> None:
    """Ten calls on a table known to be tiny fix the plan; when it has grown it is not scanned."""

    async def keyed(transaction: Transaction) -> None:
        await transaction.fetch_keys("sample", ("count",), KEY, [(1, "n5")])
        await transaction.update_rows("sample", KEY, ("count",), [(1, "n5", 9)])
        await transaction.delete_rows("sample", KEY, [(1, "n6")])

    async def fill(transaction: Transaction) -> None:
        await transaction.insert_rows(
            "sample", (*KEY, "count"), [(1, f"n{n}", n) for n in range(ROWS)]
        )

    async def main() -> None:
        database = open_database(from_url(postgres_url), times=real_times())
        await database.execute(
            "CREATE TABLE sample (tenant_id integer, name text, count integer,"
            " PRIMARY KEY (tenant_id, name)) WITH (autovacuum_enabled = false)"
        )
        await database.execute("INSERT INTO sample VALUES (2, 'only', 1)")
        await database.execute("VACUUM ANALYZE sample")
        for _ in range(10):
            await database.transaction(keyed)
        await database.transaction(fill)
        for _ in range(10):
            await database.transaction(keyed)
        await database.execute("SELECT pg_stat_force_next_flush()")
        await database.close()  # the writer's counts are flushed when its session ends
        reader = open_database(from_url(postgres_url), times=real_times())
        sql = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sample'"
        [row] = await reader.fetch(sql)
        await reader.close()
        assert row[0] < ROWS

    asyncio.run(main())

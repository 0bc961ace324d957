"""Statements of the event log and of clean-up on PostgreSQL go by their index, however much there is."""

import asyncio

import pytest

from paceline.model.instant import to_millis
from paceline.runtime.times import real_times
from paceline.servers.interaction.event_log import store
from paceline.servers.interaction.rules.months import Month
from paceline.servers.interaction.store import expired, partitions
from paceline.storage.access_point import from_url
from paceline.storage.database import Database, Row
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ("postgres_server", "postgres_url")
pytestmark = pytest.mark.integration

BEGIN = to_millis("2026-01-15T00:00:00Z", field="at")
MINUTE = 60_000
ROWS = 40_000


class Explained:
    """Explains every statement instead of running it; the plans gather."""

    engine = "postgresql"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plans: list[str] = []

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        rows = await self._database.fetch(f"EXPLAIN {sql}", *args)
        self.plans.append("\n".join(row[0] for row in rows))
        return []

    async def execute(self, sql: str, *args: object) -> int:
        await self.fetch(sql, *args)
        return 0


async def _seeded(database: Database) -> None:
    """Chunks of a month and a half in two partitions, as many batches, and tokens of old and new programs."""
    await upgrade(database, ["interaction"])
    await partitions.make(database, store.TABLE, "last_at", [Month(2026, 1), Month(2026, 2)])
    series = f"FROM generate_series(1, {ROWS}) n"
    for statement in (
        f"INSERT INTO {store.TABLE} SELECT 1, 3 * n - 2, 3 * n, 3, {BEGIN} + n::bigint * {MINUTE}, "
        f"{BEGIN} + n::bigint * {MINUTE}, '\\x00'::bytea {series}",
        f"INSERT INTO interaction.batch SELECT n::text, 1, n {series}",
        "INSERT INTO interaction.submit_tokens SELECT 1, 'c', 'o', n::text, n, "
        f"decode(md5('x'), 'hex'), '{{}}' {series}",
        "ANALYZE",
    ):
        await database.execute(statement)


def test_reading_retention_and_clean_up_go_by_index(postgres_url: str) -> None:
    """No plan scans a partition or table with rows as a whole."""

    async def run() -> None:
        database = open_database(from_url(postgres_url), times=real_times())
        await _seeded(database)
        explained = Explained(database)
        shown: Database = explained  # type: ignore[assignment]  # what these functions use of it
        late = BEGIN + (ROWS - 10) * MINUTE
        await store.read_after(shown, 1, 3 * ROWS - 30, 100)
        await store.last_before(shown, late)
        await store.last_until(shown, late)
        await store.oldest(
            shown, partitions.name_of(store.TABLE, Month(2026, 1)),
            before=BEGIN + 10 * MINUTE, until_id=10**9, limit=1000,
        )  # fmt: skip
        await store.erase_from(shown, 1, {"x"}, (late, late + MINUTE), lambda event: event)
        await expired.delete_batches(shown, 10, 100)
        await expired.delete_tokens(shown, 10, 100)
        assert len(explained.plans) == 8
        for plan in explained.plans:
            scanned = [line for line in plan.splitlines() if "Seq Scan" in line]
            assert all("_other" in line for line in scanned), plan
        await database.close()

    asyncio.run(run())

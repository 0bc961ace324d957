"""Statements of views on PostgreSQL use the indexes that are meant for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from paceline.expressions.properties import property_named
from paceline.expressions.view_parse import parse_condition, parse_order
from paceline.model.interaction import Row as InteractionRow
from paceline.runtime.times import real_times
from paceline.servers.interaction.rules.selection import HeadRead, Selection
from paceline.servers.interaction.store.node import read_handled, read_held, read_unheld
from paceline.servers.interaction.store.order_indexes import keep_order_indexes
from paceline.servers.interaction.store.row_shape import PLAIN
from paceline.servers.interaction.store.views import read_due, read_head, read_next_due
from paceline.storage.access_point import from_url
from paceline.storage.database import Database, Row, Transaction
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

NOW = 1_000_000_000_000
SEED = f"""
INSERT INTO interaction.interactions (
  tenant_id, interaction_id, state, media_type, interaction_type, interaction_subtype, queue_id,
  priority, submit_seq, queue_seq, received_at, submitted_at, queued_at, scheduled_at, is_online,
  is_locked, is_held, ticket, submitted_by, version, properties_version)
SELECT 1, 'i' || n, 0, 'chat', 'Inbound', 'S' || n % 10, 1 + n % 2, n % 5, n, n, {NOW} + n, {NOW} + n,
  {NOW} + n, CASE WHEN n % 1000 = 0 THEN {NOW} + n END, false, false, false, 0, 'test', 1, 1
FROM generate_series(1, 20000) n
"""


class _Explained:
    """Runs what it is asked where the server asks it, and keeps the plans, as the writer makes them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.plans: list[str] = []

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        async def ask(transaction: Transaction) -> list[Row]:
            plan = await transaction.fetch(f"EXPLAIN (GENERIC_PLAN) {sql}", *args)
            self.plans.append("\n".join(line for (line,) in plan))
            return await transaction.fetch(sql, *args)

        return await self.database.transaction(ask)


@asynccontextmanager
async def seeded(url: str, *, has_statistics: bool = True) -> AsyncIterator[_Explained]:
    database = open_database(from_url(url), times=real_times(), pool_size=1)
    await upgrade(database, ["interaction"])
    await database.execute(SEED)
    if has_statistics:
        await database.execute("ANALYZE interaction.interactions")
    yield _Explained(database)
    await database.close()


def _selection(condition: str = "", order: str = "", segment: str | None = None) -> Selection:
    return Selection(
        tenant_id=1,
        queue_id=1,
        condition=parse_condition(condition),
        terms=parse_order(order),
        segment=property_named(segment) if segment else None,
    )


async def _read(queries: _Explained, selection: Selection, read: HeadRead) -> list[str]:
    rows = await read_head(
        queries,  # type: ignore[arg-type]  # only fetch is needed
        "postgresql",
        selection=selection,
        read=read,
        shape=PLAIN,
        now=NOW,
    )
    return [row.interaction_id for row, _ in rows]


def test_heads_of_the_default_order_come_from_the_index_of_what_waits(postgres_url: str) -> None:
    """No sort and no scan, with a condition, behind a key, and without full segments."""

    async def scenario() -> None:
        async with seeded(postgres_url) as queries:
            first = await _read(queries, _selection(), HeadRead(limit=50))
            assert len(first) == 50
            after = (-4, NOW + 1000, 1000)
            await _read(queries, _selection("Priority > 1"), HeadRead(limit=50, after=after))
            full = HeadRead(limit=50, without=("S1", "S3", None))
            await _read(queries, _selection(segment="interaction_subtype"), full)
            for plan in queries.plans:
                assert "Index Scan using waiting" in plan, plan
                assert "Seq Scan" not in plan, plan

    asyncio.run(scenario())


def test_own_orders_come_from_indexes_of_their_own(postgres_url: str) -> None:
    """Made while the table is used, for what fits an index; dropped when no view has the order."""

    async def scenario() -> None:
        async with seeded(postgres_url) as queries:
            orders = ("ReceivedAt DESC", "ExternalId NULLS FIRST, Priority DESC")
            long = ("MediaType", "ExternalId, InteractionId")
            terms = [parse_order(text) for text in (*orders, *long)]
            for _ in range(2):
                await keep_order_indexes(queries.database, terms)
            assert len(await _order_indexes(queries)) == 2
            for order in orders:
                await _read(queries, _selection("Priority > 1", order), HeadRead(limit=50))
            for plan in queries.plans:
                assert "using order_" in plan, plan
            await keep_order_indexes(queries.database, terms[:1])
            assert len(await _order_indexes(queries)) == 1

    asyncio.run(scenario())


async def _order_indexes(queries: _Explained) -> list[str]:
    rows = await queries.database.fetch(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'interaction' "
        "AND starts_with(indexname, 'order_')"
    )
    return [row[0] for row in rows]


async def _due(queries: _Explained) -> list[tuple[InteractionRow, str]]:
    """What became due within five seconds."""
    return await read_due(
        queries,  # type: ignore[arg-type]  # only fetch is needed
        tenant_id=1,
        queue_id=1,
        after=NOW,
        now=NOW + 5000,
        limit=10,
        shape=PLAIN,
    )


async def _next_due(queries: _Explained, after: int) -> int | None:
    return await read_next_due(
        queries,  # type: ignore[arg-type]  # only fetch is needed
        tenant_id=1,
        queue_id=1,
        after=after,
    )


def test_what_is_due_comes_from_its_index(postgres_url: str) -> None:
    """Neither the look at what became due nor the one for the next instant reads the queue."""

    async def scenario() -> None:
        async with seeded(postgres_url) as queries:
            due = await _due(queries)
            assert [row.interaction_id for row, _ in due] == [f"i{n}000" for n in range(1, 6)]
            following = await _next_due(queries, NOW + 5000)
            assert following == NOW + 6000
            for plan in queries.plans:
                assert "interactions_scheduled_at" in plan, plan

    asyncio.run(scenario())


def test_a_takeover_reads_by_index_before_there_are_statistics(postgres_url: str) -> None:
    """What a new process asks first looks at none of what merely waits: a backlog came too fast to be analysed."""

    async def scenario() -> None:
        async with seeded(postgres_url, has_statistics=False) as queries:
            for read in (read_held, read_unheld, read_handled):
                assert await read(queries) == []  # type: ignore[arg-type]  # only fetch is needed
            due = await _next_due(queries, NOW)
            assert due == NOW + 1000
            rows = await _due(queries)
            assert len(rows) == 5
            for plan in queries.plans:
                assert "Seq Scan" not in plan, plan
                assert "using waiting" not in plan, plan

    asyncio.run(scenario())

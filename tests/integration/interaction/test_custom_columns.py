"""Columns of custom properties on PostgreSQL, while others use the table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.custom_properties import CustomProperty, PropertyType
from paceline.runtime.times import real_times
from paceline.servers.interaction.store.custom_properties import add_column
from paceline.storage.access_point import from_url
from paceline.storage.database import Database, Transaction
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

TIER = CustomProperty("Tier", "tier", PropertyType.STRING)
INDEX = "interaction.interactions_string_tier"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = open_database(from_url(url), times=real_times(), pool_size=2)
    await upgrade(database, ["interaction"])
    yield database
    await database.close()


def test_a_long_transaction_is_not_waited_for(postgres_url: str) -> None:
    """While one holds the table the column is refused at once, not done, and nobody queues behind it."""

    async def scenario() -> None:
        async with opened(postgres_url) as database:
            release, begun = asyncio.Event(), asyncio.Event()

            async def hold(transaction: Transaction) -> None:
                await transaction.execute(
                    "LOCK TABLE interaction.interactions IN ACCESS SHARE MODE"
                )
                begun.set()
                await release.wait()

            holding = asyncio.ensure_future(database.transaction(hold))
            await begun.wait()
            with pytest.raises(PacelineError, match="database_unavailable"):
                await add_column(database, TIER)
            release.set()
            await holding
            await add_column(database, TIER)
            rows = await database.fetch("SELECT string_tier FROM interaction.finished_interactions")
            assert rows == []

    asyncio.run(scenario())


def test_an_index_that_was_left_invalid_is_made_anew(postgres_url: str) -> None:
    """A broken attempt leaves an index that no statement uses; the next attempt replaces it."""

    async def scenario() -> None:
        async with opened(postgres_url) as database:
            await add_column(database, TIER)
            await database.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass($1)", INDEX
            )
            await add_column(database, TIER)
            await add_column(database, TIER)
            [[is_valid]] = await database.fetch(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", INDEX
            )
            assert is_valid

    asyncio.run(scenario())

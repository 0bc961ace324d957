"""Partitions by calendar month of the tables that grow for ever; PostgreSQL only.

A month's partition is made ahead of its first row. What came before there were partitions, or at an
instant nobody expected, is in the default partition `<table>_other`: nothing is ever refused.
"""

import re
from collections.abc import Iterable
from functools import partial

from paceline.servers.interaction.rules.months import Month
from paceline.storage.database import Database, Transaction

_MONTH = re.compile(r"_(\d{4})_(\d{2})")


def default_of(table: str) -> str:
    """The default partition of a table."""
    return f"{table}_other"


def name_of(table: str, month: Month) -> str:
    """The partition of a month."""
    return f"{table}_{month.year:04}_{month.month:02}"


async def months_of(database: Database, table: str) -> list[Month]:
    """Months that have a partition, oldest first."""
    rows = await database.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = to_regclass($1)",
        table,
    )
    bare = table.rpartition(".")[2]
    found = [_MONTH.fullmatch(row[0].removeprefix(bare)) for row in rows]
    return sorted(Month(int(m[1]), int(m[2])) for m in found if m is not None)


async def make(
    database: Database, table: str, column: str, months: Iterable[Month]
) -> tuple[Month, ...]:
    """Makes the partitions of some months; those whose rows the default partition has already stay there.

    Attached afterwards, so that the table is locked for a moment only. The months that were made.
    """
    made = []
    for month in months:
        rows = await database.fetch(
            f"SELECT 1 FROM {default_of(table)} WHERE {column} >= $1 AND {column} < $2 LIMIT 1",
            month.begin,
            month.end,
        )
        if not rows:
            await database.transaction(partial(_attach, table=table, month=month))
            made.append(month)
    return tuple(made)


async def _attach(transaction: Transaction, *, table: str, month: Month) -> None:
    name = name_of(table, month)
    await transaction.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    await transaction.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {name} "
        f"FOR VALUES FROM ({month.begin}) TO ({month.end})"
    )


async def drop(transaction: Transaction, *, table: str, month: Month) -> None:
    """Drops the partition of a month, whole."""
    await transaction.execute(f"DROP TABLE {name_of(table, month)}")

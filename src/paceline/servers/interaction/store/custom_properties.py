"""Columns of custom properties: added and indexed online, and whether they are filled.

Called by tasks/custom_properties.py. What is filled is written in the lane; the columns themselves
may be added by any process, since adding one that exists does nothing.
"""

from collections.abc import Sequence
from typing import Final

from paceline.model.custom_properties import CustomProperty, PropertyType
from paceline.servers.interaction.rules.custom_values import PropertyStates
from paceline.servers.interaction.store.node import FINISHED, INTERACTIONS, Key
from paceline.storage.database import Database, Queries, Transaction

STATES = "interaction.custom_properties"
_STATE_KEY = ("tenant_id", "column_name")

LOCK_TIMEOUT_S = 0.25
"""Everybody else waits behind a table lock that is waited for: rather try again (chosen)."""

_TYPES: Final = {
    PropertyType.STRING: {"postgresql": 'text COLLATE "C"', "sqlite": "text"},
    PropertyType.NUMBER: {"postgresql": "double precision", "sqlite": "double precision"},
    PropertyType.TIMESTAMP: {"postgresql": "bigint", "sqlite": "bigint"},
}


async def read_states(queries: Queries) -> PropertyStates:
    """What is stored of custom properties."""
    rows = await queries.fetch(
        f"SELECT tenant_id, column_name, property_key, is_filled FROM {STATES}"
    )
    return {(r[0], r[1]): (r[2], bool(r[3])) for r in rows}


async def write_states(
    transaction: Transaction, changes: Sequence[tuple[Key, tuple[str, bool] | None]]
) -> None:
    """Writes what is known of columns; None when a property is no more."""
    await transaction.delete_rows(STATES, _STATE_KEY, [key for key, _ in changes])
    rows = [(*key, *state) for key, state in changes if state is not None]
    await transaction.insert_rows(STATES, (*_STATE_KEY, "property_key", "is_filled"), rows)


async def add_column(database: Database, found: CustomProperty) -> None:
    """Makes the column of a property, with its index, while the tables are in use."""
    for table in (INTERACTIONS, FINISHED):
        if found.column not in await _columns(database, table):
            await database.change_schema(
                f"ALTER TABLE {table} ADD COLUMN {found.column} {_TYPES[found.type][database.engine]}",
                lock_timeout_s=LOCK_TIMEOUT_S,
            )
    if database.engine == "sqlite":
        await database.change_schema(
            f"CREATE INDEX IF NOT EXISTS interaction.interactions_{found.column} "
            f"ON interactions (tenant_id, {found.column}) WHERE {found.column} IS NOT NULL"
        )
    else:
        await _index_online(database, found.column)


async def _index_online(database: Database, column: str) -> None:
    """An index that a broken attempt left behind invalid is made anew."""
    name = f"interactions_{column}"
    rows = await database.fetch(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", f"interaction.{name}"
    )
    if rows and rows[0][0]:
        return
    if rows:
        await database.change_schema(f"DROP INDEX CONCURRENTLY interaction.{name}")
    await database.change_schema(
        f"CREATE INDEX CONCURRENTLY {name} ON {INTERACTIONS} (tenant_id, {column}) "
        f"WHERE {column} IS NOT NULL"
    )


async def _columns(database: Database, table: str) -> set[str]:
    schema, _, name = table.partition(".")
    if database.engine == "sqlite":
        rows = await database.fetch("SELECT name FROM pragma_table_info($1, $2)", name, schema)
    else:
        rows = await database.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 "
            "AND NOT attisdropped",
            table,
        )
    return {row[0] for row in rows}


async def page_of_tenant(database: Database, tenant_id: int, after: str, limit: int) -> list[Key]:
    """Keys of a tenant's interactions in work behind an id, in order."""
    rows = await database.fetch(
        f"SELECT tenant_id, interaction_id FROM {INTERACTIONS} "
        f"WHERE tenant_id = $1 AND interaction_id > $2 ORDER BY interaction_id LIMIT {limit}",
        tenant_id,
        after,
    )
    return [(row[0], row[1]) for row in rows]

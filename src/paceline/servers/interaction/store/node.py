"""Reading and writing of an interaction node's rows; every statement of the server's store is here."""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from paceline.expressions.tree import Condition, OrderTerm
from paceline.model.interaction import CHANGING_COLUMNS, COLUMNS, KEY_COLUMNS, Row
from paceline.storage.conditions import condition_sql, order_sql
from paceline.storage.database import Database, Engine, Queries, Transaction
from paceline.storage.database import Row as Found

Key = tuple[int, str]

INTERACTIONS = "interaction.interactions"
DATA = "interaction.interaction_data"
FINISHED = "interaction.finished_interactions"
CLIENT_IDS = "interaction.client_ids"
TOKENS = "interaction.submit_tokens"

_QUALIFIED = ", ".join(f"i.{name}" for name in COLUMNS)
_WAITING = "i.state = 0 AND NOT i.is_locked AND NOT i.is_held"
_USER_DATA = (  # no join: an order by interaction_id would be ambiguous
    f"(SELECT d.user_data FROM {DATA} d "
    "WHERE d.tenant_id = i.tenant_id AND d.interaction_id = i.interaction_id)"
)
_DEFAULT_ORDER = "(-priority), received_at, queue_seq"
_COUNT = len(COLUMNS)
_changing_values = attrgetter(*KEY_COLUMNS, *CHANGING_COLUMNS)


class Counters(msgspec.Struct, frozen=True):
    """The node row: what must never go back."""

    epoch: int
    last_event_id: int
    last_submit_seq: int
    last_id_ms: int
    business_at: int


class Finished(msgspec.Struct, frozen=True):
    """A finished interaction with its end."""

    row: Row
    stopped_at: int
    stop_reason: str | None


class StoredToken(msgspec.Struct, frozen=True):
    """What a client token did the first time."""

    body_hash: bytes
    answer: str


def row_of(found: Found) -> Row:
    """The row of a result whose first columns are `COLUMNS`."""
    return Row(*found[:_COUNT])


def values_of(row: Row) -> tuple[object, ...]:
    """The values of `COLUMNS`."""
    return msgspec.structs.astuple(row)


async def read_counters(database: Database, node_code: int) -> Counters | None:
    """The node row, None in a new database."""
    rows = await database.fetch(
        "SELECT epoch, last_event_id, last_submit_seq, last_id_ms, business_at "
        "FROM interaction.node WHERE node_code = $1",
        node_code,
    )
    return Counters(*rows[0]) if rows else None


async def create_node(database: Database, node_code: int) -> None:
    """Writes the node row of a new database; one that exists stays."""
    await database.execute(
        "INSERT INTO interaction.node (node_code, epoch, last_event_id, last_submit_seq, last_id_ms, "
        "business_at) VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT (node_code) DO NOTHING",
        node_code,
    )


async def read_rows(queries: Queries, keys: Sequence[Key]) -> dict[Key, Row]:
    """Interactions in work by key; missing ones are finished or never were."""
    rows = [row_of(r) for r in await queries.fetch_keys(INTERACTIONS, COLUMNS, KEY_COLUMNS, keys)]
    return {row.key: row for row in rows}


async def read_finished(queries: Queries, keys: Sequence[Key]) -> dict[Key, Finished]:
    """Finished interactions by key."""
    columns = (*COLUMNS, "stopped_at", "stop_reason")
    found = await queries.fetch_keys(FINISHED, columns, KEY_COLUMNS, keys)
    items = [Finished(row_of(r), r[_COUNT], r[_COUNT + 1]) for r in found]
    return {item.row.key: item for item in items}


async def read_data(queries: Queries, keys: Sequence[Key]) -> dict[Key, str]:
    """User data by key."""
    found = await queries.fetch_keys(DATA, (*KEY_COLUMNS, "user_data"), KEY_COLUMNS, keys)
    return {(r[0], r[1]): r[2] for r in found}


async def read_client_ids(queries: Queries, keys: Sequence[Key]) -> set[Key]:
    """Which client-made ids are used."""
    found = await queries.fetch_keys(CLIENT_IDS, KEY_COLUMNS, KEY_COLUMNS, keys)
    return {(r[0], r[1]) for r in found}


TokenKey = tuple[int, str, str, str]
_TOKEN_COLUMNS = ("tenant_id", "caller", "operation", "token")


async def read_tokens(queries: Queries, keys: Sequence[TokenKey]) -> dict[TokenKey, StoredToken]:
    """Client tokens that were used, by key."""
    columns = (*_TOKEN_COLUMNS, "body_hash", "answer")
    found = await queries.fetch_keys(TOKENS, columns, _TOKEN_COLUMNS, keys)
    return {(r[0], r[1], r[2], r[3]): StoredToken(bytes(r[4]), r[5]) for r in found}


async def read_head(
    queries: Queries,
    engine: Engine,
    *,
    tenant_id: int,
    queue_id: int,
    condition: Condition,
    terms: tuple[OrderTerm, ...],
    after: tuple[object, ...] | None,
    now: int,
    limit: int,
) -> list[tuple[Row, str]]:
    """The next waiting interactions of a view in its order, with their user data.

    `after` is the key of the default order behind which to go on; only given with that order.
    """
    args: list[object] = [tenant_id, queue_id]
    where = f"{_WAITING} AND i.tenant_id = $1 AND i.queue_id = $2"
    if after is not None:
        args += after
        where += " AND ((-i.priority), i.received_at, i.queue_seq) > ($3, $4, $5)"
    selected = condition_sql(condition, engine, now=now, first=len(args) + 1)
    args += selected.values
    order = f"{order_sql(terms)}, queue_seq" if terms else _DEFAULT_ORDER
    rows = await queries.fetch(
        f"SELECT {_QUALIFIED}, {_USER_DATA} FROM (SELECT * FROM {INTERACTIONS} i WHERE {where} "
        f"AND ({selected.text}) ORDER BY {order} LIMIT {limit}) i ORDER BY {order}",
        *args,
    )
    return [(row_of(r), r[_COUNT]) for r in rows]


async def read_held(database: Database) -> list[Row]:
    """Interactions that a router session holds or that ring: what a restart must look after."""
    rows = await database.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM {INTERACTIONS} "
        "WHERE router_session IS NOT NULL OR ticket_until IS NOT NULL"
    )
    return [row_of(r) for r in rows]


async def read_handled(queries: Queries) -> list[Row]:
    """Interactions that ring at or are handled by an agent."""
    rows = await queries.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM {INTERACTIONS} WHERE agent_id IS NOT NULL"
    )
    return [row_of(r) for r in rows]


async def find_rows(
    database: Database,
    *,
    tenant_id: int,
    condition: Condition,
    terms: tuple[OrderTerm, ...],
    now: int,
    after_seq: int,
    offset: int,
    limit: int,
) -> list[tuple[Row, str]]:
    """One page of a search over the interactions in work, of those submitted after `after_seq`."""
    selected = condition_sql(condition, database.engine, now=now, first=3)
    order = f"{order_sql(terms)}, submit_seq" if terms else "submit_seq"
    rows = await database.fetch(
        f"SELECT {_QUALIFIED}, {_USER_DATA} FROM (SELECT * FROM {INTERACTIONS} i WHERE i.tenant_id = $1 "
        f"AND i.submit_seq > $2 AND ({selected.text}) ORDER BY {order} LIMIT {limit} "
        f"OFFSET {offset}) i ORDER BY {order}",
        tenant_id,
        after_seq,
        *selected.values,
    )
    return [(row_of(r), r[_COUNT]) for r in rows]


async def read_queue_depths(
    database: Database, tenant_id: int
) -> dict[int, tuple[int, int | None]]:
    """Waiting interactions and the oldest's reception, by queue id."""
    rows = await database.fetch(
        f"SELECT i.queue_id, count(*), min(i.received_at) FROM {INTERACTIONS} i "
        f"WHERE {_WAITING} AND i.tenant_id = $1 GROUP BY i.queue_id",
        tenant_id,
    )
    return {r[0]: (r[1], r[2]) for r in rows}


async def count_view(
    database: Database, *, tenant_id: int, queue_id: int, condition: Condition, now: int
) -> int:
    """How many waiting interactions a view selects."""
    selected = condition_sql(condition, database.engine, now=now, first=3)
    rows = await database.fetch(
        f"SELECT count(*) FROM {INTERACTIONS} i WHERE {_WAITING} AND i.tenant_id = $1 "
        f"AND i.queue_id = $2 AND ({selected.text})",
        tenant_id,
        queue_id,
        *selected.values,
    )
    return int(rows[0][0])


async def write_new(
    transaction: Transaction, rows: Sequence[Row], data: Sequence[tuple[int, str, str]]
) -> None:
    """New interactions with their user data."""
    await transaction.insert_rows(INTERACTIONS, COLUMNS, [values_of(row) for row in rows])
    await transaction.insert_rows(DATA, (*KEY_COLUMNS, "user_data"), data)


async def write_changed(transaction: Transaction, rows: Sequence[Row]) -> None:
    """New states of interactions."""
    await transaction.update_rows(
        INTERACTIONS, KEY_COLUMNS, CHANGING_COLUMNS, [_changing_values(row) for row in rows]
    )


async def write_data(transaction: Transaction, data: Sequence[tuple[int, str, str]]) -> None:
    """Changed user data."""
    await transaction.update_rows(DATA, KEY_COLUMNS, ("user_data",), data)


async def write_finished(
    transaction: Transaction, finished: Sequence[Finished], in_table: Sequence[Key]
) -> None:
    """Moves finished interactions out of the hot table; `in_table` are those that stood in it."""
    columns = (*COLUMNS, "stopped_at", "stop_reason")
    rows = [(*values_of(item.row), item.stopped_at, item.stop_reason) for item in finished]
    await transaction.insert_rows(FINISHED, columns, rows)
    await transaction.delete_rows(INTERACTIONS, KEY_COLUMNS, in_table)


async def write_client_ids(transaction: Transaction, ids: Sequence[tuple[int, str, int]]) -> None:
    """Client-made ids that are used from now."""
    await transaction.insert_rows(CLIENT_IDS, (*KEY_COLUMNS, "created_at"), ids)


async def write_tokens(
    transaction: Transaction, tokens: Sequence[tuple[int, str, str, str, int, bytes, str]]
) -> None:
    """Client tokens with what they did."""
    columns = (*_TOKEN_COLUMNS, "expires_at", "body_hash", "answer")
    await transaction.insert_rows(TOKENS, columns, tokens)


async def delete_expired(database: Database, *, business_now: int, batches_before: int) -> None:
    """Deletes expired client tokens and old records of batches."""
    await database.execute(f"DELETE FROM {TOKENS} WHERE expires_at < $1", business_now)
    await database.execute("DELETE FROM interaction.batch WHERE committed_at < $1", batches_before)

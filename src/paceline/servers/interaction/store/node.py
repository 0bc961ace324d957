"""Reading and writing of an interaction node's rows; every statement of the server's store is here."""

from collections.abc import Sequence
from hashlib import sha256
from operator import attrgetter

import msgspec

from paceline.model.interaction import CHANGING_COLUMNS, COLUMNS, KEY_COLUMNS, RARE_COLUMNS, Row
from paceline.servers.interaction.store.row_shape import PLAIN, RowShape
from paceline.storage.database import Database, Queries, Transaction
from paceline.wire.once import KeptAnswer

Key = tuple[int, str]

INTERACTIONS = "interaction.interactions"
DATA = "interaction.interaction_data"
FINISHED = "interaction.finished_interactions"
CLIENT_IDS = "interaction.client_ids"
TOKENS = "interaction.client_tokens"

WAITING = "i.state = 0 AND NOT i.is_locked AND NOT i.is_held"
USER_DATA = (  # no join: an order by interaction_id would be ambiguous
    f"(SELECT d.user_data FROM {DATA} d "
    "WHERE d.tenant_id = i.tenant_id AND d.interaction_id = i.interaction_id)"
)
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


async def read_rows(
    queries: Queries, keys: Sequence[Key], shape: RowShape = PLAIN
) -> dict[Key, Row]:
    """Interactions in work by key; missing ones are finished or never were."""
    found = await queries.fetch_keys(INTERACTIONS, shape.columns, KEY_COLUMNS, keys)
    rows = [shape.row(r) for r in found]
    return {row.key: row for row in rows}


async def read_finished(
    queries: Queries, keys: Sequence[Key], shape: RowShape = PLAIN
) -> dict[Key, Finished]:
    """Finished interactions by key."""
    columns = (*shape.columns, "stopped_at", "stop_reason")
    found = await queries.fetch_keys(FINISHED, columns, KEY_COLUMNS, keys)
    end = shape.width
    items = [Finished(shape.row(r), r[end], r[end + 1]) for r in found]
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
"""Tenant, caller, operation and token; the table's key is 16 bytes of its hash."""


def token_hash(key: TokenKey) -> str:
    """The key of a token's row: 16 bytes in hexadecimal. Migration 0008 computes the same in SQL.

    The lengths in front keep apart what would be equal when joined: no separator is free, a caller's
    name and a token may hold any character.
    """
    tenant_id, caller, operation, token = key
    text = f"{tenant_id} {len(caller)} {len(operation)} {caller}{operation}{token}"
    return sha256(text.encode()).hexdigest()[:32]


async def read_tokens(queries: Queries, keys: Sequence[TokenKey]) -> dict[TokenKey, KeptAnswer]:
    """Client tokens that were used, by key."""
    wanted = {token_hash(key): key for key in keys}
    columns = ("key", "body_hash", "answer")
    found = await queries.fetch_keys(TOKENS, columns, ("key",), [(each,) for each in wanted])
    return {wanted[_hex(r[0])]: KeptAnswer(bytes.fromhex(_hex(r[1])), r[2]) for r in found}


def _hex(stored: object) -> str:
    """16 bytes as they were written: PostgreSQL's driver gives them as a UUID, SQLite as text."""
    return str(stored).replace("-", "")


async def read_held(queries: Queries) -> list[Row]:
    """Interactions that a router session holds or that ring: what a restart must look after."""
    rows = await queries.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM {INTERACTIONS} "
        "WHERE router_session IS NOT NULL OR ticket_until IS NOT NULL"
    )
    return [PLAIN.row(r) for r in rows]


async def read_unheld(queries: Queries) -> list[Row]:
    """Interactions in routing that no session holds: pulled over plain HTTP; the longest there first."""
    rows = await queries.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM {INTERACTIONS} "
        "WHERE state = 2 AND router_session IS NULL ORDER BY assigned_at"
    )
    return [PLAIN.row(r) for r in rows]


async def read_handled(queries: Queries) -> list[Row]:
    """Interactions that ring at or are handled by an agent."""
    rows = await queries.fetch(
        f"SELECT {', '.join(COLUMNS)} FROM {INTERACTIONS} WHERE agent_id IS NOT NULL"
    )
    return [PLAIN.row(r) for r in rows]


async def read_queue_depths(
    database: Database, tenant_id: int
) -> dict[int, tuple[int, int | None]]:
    """Waiting interactions and the oldest's reception, by queue id."""
    rows = await database.fetch(
        f"SELECT i.queue_id, count(*), min(i.received_at) FROM {INTERACTIONS} i "
        f"WHERE {WAITING} AND i.tenant_id = $1 GROUP BY i.queue_id",
        tenant_id,
    )
    return {r[0]: (r[1], r[2]) for r in rows}


async def write_new(
    transaction: Transaction,
    rows: Sequence[Row],
    data: Sequence[tuple[int, str, str]],
    shape: RowShape = PLAIN,
) -> None:
    """New interactions with their user data."""
    await transaction.insert_rows(INTERACTIONS, shape.columns, [shape.values(row) for row in rows])
    await transaction.insert_rows(DATA, (*KEY_COLUMNS, "user_data"), data)


async def write_changed(transaction: Transaction, rows: Sequence[Row]) -> None:
    """New states of interactions."""
    await transaction.update_rows(
        INTERACTIONS, KEY_COLUMNS, CHANGING_COLUMNS, [_changing_values(row) for row in rows]
    )


async def write_custom(transaction: Transaction, rows: Sequence[Row], shape: RowShape) -> None:
    """Changed custom properties."""
    if shape.custom:
        values = [(*row.key, *shape.custom_values(row)) for row in rows]
        await transaction.update_rows(INTERACTIONS, KEY_COLUMNS, shape.custom, values)


async def write_destinations(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Changed suggestions of queues."""
    values = [(*row.key, row.destinations) for row in rows]
    await transaction.update_rows(INTERACTIONS, KEY_COLUMNS, RARE_COLUMNS, values)


async def write_data(transaction: Transaction, data: Sequence[tuple[int, str, str]]) -> None:
    """Changed user data."""
    await transaction.update_rows(DATA, KEY_COLUMNS, ("user_data",), data)


async def write_finished(
    transaction: Transaction,
    finished: Sequence[Finished],
    in_table: Sequence[Key],
    shape: RowShape = PLAIN,
) -> None:
    """Moves finished interactions out of the hot table; `in_table` are those that stood in it."""
    columns = (*shape.columns, "stopped_at", "stop_reason")
    rows = [(*shape.values(item.row), item.stopped_at, item.stop_reason) for item in finished]
    await transaction.insert_rows(FINISHED, columns, rows)
    await transaction.delete_rows(INTERACTIONS, KEY_COLUMNS, in_table)


async def write_client_ids(transaction: Transaction, ids: Sequence[tuple[int, str, int]]) -> None:
    """Client-made ids that are used from now."""
    await transaction.insert_rows(CLIENT_IDS, (*KEY_COLUMNS, "created_at"), ids)


async def delete_tokens(transaction: Transaction, keys: Sequence[TokenKey]) -> None:
    """Client tokens and keys that stand for nothing any more."""
    await transaction.delete_rows(TOKENS, ("key",), [(token_hash(key),) for key in keys])


async def write_tokens(
    transaction: Transaction, tokens: Sequence[tuple[int, str, str, str, int, bytes, str]]
) -> None:
    """Client tokens with what they did; one that was used before fails the transaction."""
    rows = [
        (token_hash((tenant_id, caller, operation, token)), expires_at, body_hash.hex(), answer)
        for tenant_id, caller, operation, token, expires_at, body_hash, answer in tokens
    ]
    await transaction.insert_rows(TOKENS, ("key", "expires_at", "body_hash", "answer"), rows)

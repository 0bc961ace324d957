"""Statements of views: heads in order, what is due, what is in routing, how many wait."""

from paceline.expressions.tree import Condition
from paceline.model.interaction import Row
from paceline.servers.interaction.rules.selection import HeadRead, Selection, read_condition
from paceline.servers.interaction.store.node import INTERACTIONS, USER_DATA, WAITING
from paceline.servers.interaction.store.row_shape import RowShape
from paceline.storage.conditions import condition_sql, order_sql
from paceline.storage.database import Database, Engine, Queries

_DEFAULT_ORDER = "(-priority), received_at, queue_seq"
_IS_DUE = "(i.scheduled_at IS NULL OR i.scheduled_at <= $3)"
_SCHEDULED = "scheduled_at IS NOT NULL"


async def read_head(
    queries: Queries,
    engine: Engine,
    *,
    selection: Selection,
    read: HeadRead,
    shape: RowShape,
    now: int,
) -> list[tuple[Row, str]]:
    """The next waiting interactions of a view in its order, with their user data.

    `read.after` is the key of the default order behind which to go on; only given with that order.
    """
    args: list[object] = [selection.tenant_id, selection.queue_id, now]
    where = f"{WAITING} AND i.tenant_id = $1 AND i.queue_id = $2 AND {_IS_DUE}"
    if read.after is not None:
        args += read.after
        where += " AND ((-i.priority), i.received_at, i.queue_seq) > ($4, $5, $6)"
    condition = read_condition(selection, read)
    selected = condition_sql(condition, engine, now=now, first=len(args) + 1)
    args += selected.values
    order = _order(selection, engine)
    rows = await queries.fetch(
        f"SELECT {shape.qualified}, {USER_DATA} FROM (SELECT * FROM {INTERACTIONS} i WHERE {where} "
        f"AND ({selected.text}) ORDER BY {order} LIMIT {read.limit}) i ORDER BY {order}",
        *args,
    )
    return [(shape.row(r), r[shape.width]) for r in rows]


def _order(selection: Selection, engine: Engine) -> str:
    own = order_sql(selection.terms, engine)
    ordinary = f"{own}, queue_seq" if own else _DEFAULT_ORDER
    if not selection.scheduling:
        return ordinary
    first = order_sql(selection.scheduling, engine, where=_SCHEDULED)
    return f"(scheduled_at IS NULL), {first}, {ordinary}"


async def read_due(
    queries: Queries,
    *,
    tenant_id: int,
    queue_id: int,
    after: int,
    now: int,
    limit: int,
    shape: RowShape,
) -> list[tuple[Row, str]]:
    """Waiting interactions of a queue that became due after an instant."""
    rows = await queries.fetch(
        f"SELECT {shape.qualified}, {USER_DATA} FROM {INTERACTIONS} i WHERE {WAITING} "
        "AND i.tenant_id = $1 AND i.queue_id = $2 AND i.scheduled_at > $3 AND i.scheduled_at <= $4 "
        f"ORDER BY i.scheduled_at LIMIT {limit}",
        tenant_id,
        queue_id,
        after,
        now,
    )
    return [(shape.row(r), r[shape.width]) for r in rows]


async def read_next_due(
    queries: Queries, *, tenant_id: int, queue_id: int, after: int
) -> int | None:
    """When the next scheduled interaction of a queue is due."""
    # By the index of what is scheduled, whether it waits is looked at after that. In one query without a
    # limit inside, PostgreSQL goes through all that waits while it has no statistics (0.2 s of 500,000).
    found = await queries.fetch(
        f"SELECT i.scheduled_at FROM (SELECT * FROM {INTERACTIONS} WHERE tenant_id = $1 "
        "AND queue_id = $2 AND scheduled_at > $3 ORDER BY scheduled_at LIMIT 1000000000) AS i "
        f"WHERE {WAITING} LIMIT 1",
        tenant_id,
        queue_id,
        after,
    )
    return int(found[0][0]) if found else None


async def read_in_routing(queries: Queries, *, shape: RowShape) -> list[Row]:
    """What routers hold out of views; read once, for the counters of limited views."""
    # Two statements in one, each with an index of its own: a takeover waits for this read.
    pulled = f"SELECT {shape.qualified} FROM {INTERACTIONS} i WHERE i.view_id IS NOT NULL"
    rows = await queries.fetch(
        f"{pulled} AND i.state = 2 AND i.router_session IS NULL "
        f"UNION ALL {pulled} AND i.state = 2 AND i.router_session IS NOT NULL"
    )
    return [shape.row(r) for r in rows]


async def count_view(
    database: Database, *, tenant_id: int, queue_id: int, condition: Condition, now: int
) -> int:
    """How many waiting interactions a view selects; those that are not due yet are none of them."""
    selected = condition_sql(condition, database.engine, now=now, first=4)
    rows = await database.fetch(
        f"SELECT count(*) FROM {INTERACTIONS} i WHERE {WAITING} AND i.tenant_id = $1 "
        f"AND i.queue_id = $2 AND {_IS_DUE} AND ({selected.text})",
        tenant_id,
        queue_id,
        now,
        *selected.values,
    )
    return int(rows[0][0])

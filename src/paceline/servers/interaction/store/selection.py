"""Interactions in work that meet a condition, in an order: find, workbin content, snapshots, children."""

from collections.abc import Mapping
from typing import NamedTuple

from paceline.expressions.connectives import And
from paceline.expressions.tree import Condition, OrderTerm
from paceline.model.interaction import Row
from paceline.servers.interaction.store.node import DATA, INTERACTIONS
from paceline.servers.interaction.store.row_shape import RowShape
from paceline.storage.conditions import condition_sql, order_sql
from paceline.storage.database import Database

_USER_DATA = (  # no join: an order by interaction_id would be ambiguous
    f"(SELECT d.user_data FROM {DATA} d "
    "WHERE d.tenant_id = i.tenant_id AND d.interaction_id = i.interaction_id)"
)
_FINISHED = "interaction.finished_interactions"


class Wanted(NamedTuple):
    """What is looked for: `equal` are columns with the value that they must have."""

    tenant_id: int
    condition: Condition = And(())
    terms: tuple[OrderTerm, ...] = ()
    equal: Mapping[str, int | bool | str] = {}


async def select_rows(
    database: Database, shape: RowShape, wanted: Wanted, *, after: Condition, now: int, limit: int
) -> list[tuple[Row, str]]:
    """At most `limit` interactions with their user data, of those that meet `after` too.

    The number of the submission decides between equals and is the order where there are no terms.
    """
    where, args = _equals(wanted)
    both: Condition = And((wanted.condition, after))
    selected = condition_sql(both, database.engine, now=now, first=len(args) + 1)
    terms = wanted.terms
    order = f"{order_sql(terms, database.engine)}, submit_seq" if terms else "submit_seq"
    rows = await database.fetch(
        f"SELECT {shape.qualified}, {_USER_DATA} FROM (SELECT * FROM {INTERACTIONS} i "
        f"WHERE {where} AND ({selected.text}) ORDER BY {order} LIMIT {limit}) i ORDER BY {order}",
        *args,
        *selected.values,
    )
    return [(shape.row(r), r[shape.width]) for r in rows]


Ended = tuple[Row, int | None, str | None, str]
"""An interaction with its end, the end's reason and its user data."""


async def select_unfinished(
    database: Database, shape: RowShape, wanted: Wanted, *, after: Condition, now: int, limit: int
) -> list[Ended]:
    """Like `select_rows`, in the form of `select_with_finished`."""
    rows = await select_rows(database, shape, wanted, after=after, now=now, limit=limit)
    return [(row, None, None, data) for row, data in rows]


async def select_with_finished(
    database: Database, shape: RowShape, wanted: Wanted, *, after: Condition, now: int, limit: int
) -> list[Ended]:
    """Like `select_rows` over interactions in work and finished ones: row, end, its reason, user data."""
    where, args = _equals(wanted)
    both: Condition = And((wanted.condition, after))
    selected = condition_sql(both, database.engine, now=now, first=len(args) + 1)
    terms = wanted.terms
    order = f"{order_sql(terms, database.engine)}, submit_seq" if terms else "submit_seq"
    ended = {INTERACTIONS: "NULL AS stopped_at, NULL AS stop_reason"}
    ended[_FINISHED] = "i.stopped_at, i.stop_reason"
    every = " UNION ALL ".join(
        f"SELECT {shape.qualified}, {columns} FROM {table} i" for table, columns in ended.items()
    )
    rows = await database.fetch(
        f"SELECT {shape.qualified}, i.stopped_at, i.stop_reason, {_USER_DATA} "
        f"FROM (SELECT * FROM ({every}) i WHERE {where} AND ({selected.text}) "
        f"ORDER BY {order} LIMIT {limit}) i ORDER BY {order}",
        *args,
        *selected.values,
    )
    width = shape.width
    return [(shape.row(r), r[width], r[width + 1], r[width + 2]) for r in rows]


async def select_ids(database: Database, wanted: Wanted, *, now: int, limit: int) -> list[str]:
    """The ids of the first `limit` in the order of a view: priority and age where there are no terms."""
    where, args = _equals(wanted)
    selected = condition_sql(wanted.condition, database.engine, now=now, first=len(args) + 1)
    own = order_sql(wanted.terms, database.engine)
    order = f"{own}, queue_seq" if own else "(-priority), received_at, queue_seq"
    rows = await database.fetch(
        f"SELECT interaction_id FROM {INTERACTIONS} i WHERE {where} AND ({selected.text}) "
        f"ORDER BY {order} LIMIT {limit}",
        *args,
        *selected.values,
    )
    return [r[0] for r in rows]


async def select_children(
    database: Database, shape: RowShape, tenant_id: int, parent_id: str, *, after: str, limit: int
) -> list[Ended]:
    """Interactions of a parent by id, finished ones included: row, end, its reason, user data."""
    ended = {INTERACTIONS: "NULL, NULL", _FINISHED: "i.stopped_at, i.stop_reason"}
    parts = [
        f"SELECT {shape.qualified}, {columns}, {_USER_DATA} FROM {table} i "
        "WHERE i.tenant_id = $1 AND i.parent_id = $2 AND i.interaction_id > $3"
        for table, columns in ended.items()
    ]
    rows = await database.fetch(
        f"{' UNION ALL '.join(parts)} ORDER BY interaction_id LIMIT {limit}",
        tenant_id,
        parent_id,
        after,
    )
    width = shape.width
    return [(shape.row(r), r[width], r[width + 1], r[width + 2]) for r in rows]


def _equals(wanted: Wanted) -> tuple[str, list[object]]:
    columns = {"tenant_id": wanted.tenant_id, **wanted.equal}
    where = " AND ".join(f"i.{name} = ${number}" for number, name in enumerate(columns, 1))
    return where, list(columns.values())

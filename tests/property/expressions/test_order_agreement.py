"""An order in memory is the order of the database, with descending, absent and scheduled values."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paceline.expressions.properties import Kind
from paceline.expressions.view_parse import parse_order
from paceline.model.interaction import Row
from paceline.runtime.times import real_times
from paceline.servers.interaction.rules.order_key import order_key
from paceline.storage.access_point import from_url
from paceline.storage.conditions import order_sql
from paceline.storage.database import Engine
from paceline.storage.embedded import EmbeddedPostgres
from paceline.storage.opening import open_database
from tests.databases import postgres_server
from tests.property.expressions import random_conditions as sample

__all__ = ["postgres_server"]

EXAMPLES = 100 if settings.default is None or settings.default.max_examples < 1000 else 1000
DEFAULTS = {Kind.TEXT: "", Kind.INTEGER: 0, Kind.BOOLEAN: False, Kind.INSTANT: 0, Kind.NAME: 1}
FIXED = {field.name for field in msgspec.structs.fields(Row)}
ORDERED = [found for found in sample.ALL if found.kind is not Kind.NAME]


def _rows() -> list[dict[str, object]]:
    """The sample, with a value wherever an interaction always has one."""
    filled = []
    for number, row in enumerate(sample.rows(200)):
        given = dict(row)
        for found in sample.ALL:
            if given[found.column] is None and not found.is_nullable:
                given[found.column] = DEFAULTS[found.kind]
        filled.append(given | {"queue_seq": number})
    return filled


def _row(given: dict[str, object]) -> Row:
    fixed = {name: value for name, value in given.items() if name in FIXED}
    custom = {n: v for n, v in given.items() if n not in FIXED and v is not None}
    rest = {"tenant_id": 1, "router_session": None, "ticket": 0, "ticket_until": None}
    return Row(**fixed, **rest, version=1, properties_version=1, custom=custom or None)  # type: ignore[arg-type]  # a sample


ROWS = _rows()
MEMORY = [_row(given) for given in ROWS]
Ordered = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Ordered]:
    """Places of the sample in an order, by SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sample.CREATE_TABLE)
        for number, row in enumerate(ROWS):
            values = [number, *row.values()]
            places = ", ".join("?" for _ in values)
            connection.execute(f"INSERT INTO sample VALUES ({places})", values)
        yield lambda order: [
            n for (n,) in connection.execute(f"SELECT n FROM sample ORDER BY {order}")
        ]


@pytest.fixture(scope="module")
def postgres(postgres_server: EmbeddedPostgres) -> Iterator[Ordered]:
    """Places of the sample in an order, by PostgreSQL."""
    with asyncio.Runner() as runner:
        runner.run(postgres_server.create_database("orders"))
        point = from_url(postgres_server.url("orders"))
        database = open_database(point, times=real_times(), pool_size=1)
        runner.run(database.execute(sample.CREATE_TABLE))
        for number, row in enumerate(ROWS):
            places = ", ".join(f"${n}" for n in range(1, len(row) + 2))
            insert = f"INSERT INTO sample VALUES ({places})"
            runner.run(database.execute(insert, number, *row.values()))
        yield lambda order: [
            row[0] for row in runner.run(database.fetch(f"SELECT n FROM sample ORDER BY {order}"))
        ]
        runner.run(database.close())


@st.composite
def orders(draw: st.DrawFn) -> str:
    """A text of one to three terms."""
    found = draw(st.lists(st.sampled_from(ORDERED), min_size=1, max_size=3))
    direction = st.sampled_from(["", " ASC", " DESC"])
    nulls = st.sampled_from(["", " NULLS FIRST", " NULLS LAST"])
    return ", ".join(f'"{p.name}"{draw(direction)}{draw(nulls)}' for p in found)


def check(order: str, scheduling: str, engine: Engine, ordered: Ordered) -> None:
    """Both give the same places."""
    terms, first = (parse_order(text, known=sample.KNOWN) for text in (order, scheduling))
    text = f"{order_sql(terms, engine)}, queue_seq"
    if first:
        where = "scheduled_at IS NOT NULL"
        text = f"(scheduled_at IS NULL), {order_sql(first, engine, where=where)}, {text}"
    key = order_key(terms, first)
    assert sorted(range(len(MEMORY)), key=lambda n: key(MEMORY[n])) == ordered(text)


@settings(max_examples=EXAMPLES, deadline=None)
@given(order=orders(), scheduling=st.one_of(st.just(""), orders()))
def test_order_in_memory_and_in_sqlite_agree(sqlite: Ordered, order: str, scheduling: str) -> None:
    """Whatever the terms, SQLite and the key agree on 200 interactions."""
    check(order, scheduling, "sqlite", sqlite)


@settings(max_examples=EXAMPLES, deadline=None)
@given(order=orders(), scheduling=st.one_of(st.just(""), orders()))
def test_order_in_memory_and_in_postgresql_agree(
    postgres: Ordered, order: str, scheduling: str
) -> None:
    """Whatever the terms, PostgreSQL and the key agree on 200 interactions."""
    check(order, scheduling, "postgresql", postgres)

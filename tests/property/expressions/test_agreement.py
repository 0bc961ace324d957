"""The Python predicate and the SQL of a condition give the same answer on every interaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from operator import itemgetter

import pytest
from hypothesis import given, settings

from paceline.expressions.predicate import predicate
from paceline.expressions.view_parse import bind_names, parse_condition
from paceline.storage.conditions import condition_sql
from tests.property.expressions import random_conditions as sample

ROWS = sample.rows(100)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """The sample interactions in memory."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sample.CREATE_TABLE)
        places = ", ".join("?" for _ in range(len(ROWS[0]) + 1))
        connection.executemany(
            f"INSERT INTO sample VALUES ({places})",
            [(n, *row.values()) for n, row in enumerate(ROWS)],
        )
        yield connection


@settings(max_examples=250, deadline=None)
@given(text=sample.conditions())
def test_predicate_and_sqlite_agree(database: sqlite3.Connection, text: str) -> None:
    """True, false and unknown are the same on 100 interactions, whatever the condition."""
    condition = bind_names(parse_condition(text), lambda _kind, name: sample.NAMES[name])
    sql = condition_sql(condition, "sqlite", now=sample.NOW)
    found = database.execute(
        f"SELECT {sql.text} FROM sample ORDER BY n",
        {str(n): value for n, value in enumerate(sql.values, start=1)},
    ).fetchall()
    test = predicate(condition, itemgetter)
    expected = [test(row, sample.NOW) for row in ROWS]
    assert [None if value is None else bool(value) for (value,) in found] == expected

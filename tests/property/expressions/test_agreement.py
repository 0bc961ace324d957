"""The Python predicate and the SQL of a condition give the same answer on every interaction."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from operator import itemgetter

import pytest
from hypothesis import given, settings

from paceline.expressions.predicate import predicate
from paceline.expressions.view_parse import bind_names, parse_condition
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.conditions import SqlCondition, condition_sql
from paceline.storage.database import Engine
from paceline.storage.embedded import EmbeddedPostgres
from paceline.storage.opening import open_database
from tests.databases import postgres_server
from tests.property.expressions import random_conditions as sample

__all__ = ["postgres_server"]

ROWS = sample.rows(100)
EXAMPLES = 100 if settings.default is None or settings.default.max_examples < 1000 else 5000
"""100 in the fast suite, 5,000 in the thorough one."""

EXTREME = (
    "Total * Total * Total * Total * Total * Total * Total * Total > 0",
    "1 / Total / Total / Total / Total / Total / Total / Total < 1",
    "SubmitSeq * SubmitSeq * SubmitSeq * SubmitSeq * SubmitSeq * SubmitSeq * SubmitSeq > 0",
    "(Total - 0.1) * (Total - 0.1) * (Total - 0.1) * (Total - 0.1) = 0",
    "DueAt + SubmitSeq * SubmitSeq * SubmitSeq * SubmitSeq > ReceivedAt",
    "1e-18 / SubmitSeq / SubmitSeq / SubmitSeq / SubmitSeq / SubmitSeq / SubmitSeq != 0",
)
"""The largest and smallest that eight numbers may come to: no engine may refuse them."""

Answers = Callable[[SqlCondition], list[bool | None]]


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Answers]:
    """What SQLite answers on the sample interactions."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sample.CREATE_TABLE)
        places = ", ".join("?" for _ in range(len(ROWS[0]) + 1))
        connection.executemany(
            f"INSERT INTO sample VALUES ({places})",
            [(n, *row.values()) for n, row in enumerate(ROWS)],
        )

        def answers(sql: SqlCondition) -> list[bool | None]:
            values = {str(n): value for n, value in enumerate(sql.values, start=1)}
            found = connection.execute(f"SELECT {sql.text} FROM sample ORDER BY n", values)
            return [None if value is None else bool(value) for (value,) in found]

        yield answers


@pytest.fixture(scope="module")
def postgres(postgres_server: EmbeddedPostgres) -> Iterator[Answers]:
    """What PostgreSQL answers on the sample interactions."""
    with asyncio.Runner() as runner:
        runner.run(postgres_server.create_database("agreement"))
        point = from_url(postgres_server.url("agreement"))
        database = open_database(point, times=real_times(), pool_size=1)
        runner.run(database.execute(sample.CREATE_TABLE))
        places = ", ".join(f"${n}" for n in range(1, len(ROWS[0]) + 2))
        for n, row in enumerate(ROWS):
            insert = f"INSERT INTO sample VALUES ({places})"
            runner.run(database.execute(insert, n, *row.values()))

        def answers(sql: SqlCondition) -> list[bool | None]:
            text = f"SELECT {sql.text} FROM sample ORDER BY n"
            return [value for (value,) in runner.run(database.fetch(text, *sql.values))]

        yield answers
        runner.run(database.close())


@pytest.mark.parametrize("text", EXTREME)
def test_extreme_sums_agree(sqlite: Answers, postgres: Answers, text: str) -> None:
    """Nothing overflows or underflows in a way that an engine refuses."""
    check(text, "sqlite", sqlite)
    check(text, "postgresql", postgres)


def check(text: str, engine: Engine, answers: Answers) -> None:
    """True, false and unknown are the same on 100 interactions."""
    condition = bind_names(
        parse_condition(text, known=sample.KNOWN), lambda _kind, name: sample.NAMES[name]
    )
    test = predicate(condition, itemgetter)
    expected = [test(row, sample.NOW) for row in ROWS]
    assert answers(condition_sql(condition, engine, now=sample.NOW)) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=sample.conditions())
def test_predicate_and_sqlite_agree(sqlite: Answers, text: str) -> None:
    """Whatever the condition, SQLite and the predicate agree."""
    check(text, "sqlite", sqlite)


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=sample.conditions())
def test_predicate_and_postgresql_agree(postgres: Answers, text: str) -> None:
    """Whatever the condition, PostgreSQL and the predicate agree."""
    check(text, "postgresql", postgres)

"""The laws of the storage port, on every engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import ConstraintViolated, Database, DatabaseError, Transaction
from paceline.storage.opening import open_database
from tests.databases import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]

T = TypeVar("T")
COLUMNS = ("tenant_id", "name", "count", "at", "is_open", "body", "raw", "share")
ROWS = [
    (1, "a", 1, 1_763_683_200_123, True, '{"b": 1, "a": "ä"}', b"\x00\xff", 0.25),
    (1, "b", None, 2, False, None, None, None),
    (2, "a", 3, 3, None, '"text"', b"", 1.0),
]
TABLE = """
CREATE TABLE interaction.sample (
    tenant_id integer NOT NULL, name text NOT NULL, count smallint, at bigint, is_open boolean,
    body {json}, raw {raw}, share double precision, PRIMARY KEY (tenant_id, name)
)
"""


def run_on(url: str, act: Callable[[Database], Awaitable[T]]) -> T:
    """Run `act` on a database with an empty sample table."""

    async def main() -> T:
        database = open_database(from_url(url), times=real_times(), inline=url == "sqlite://")
        try:
            if database.engine == "postgresql":
                await database.execute("CREATE SCHEMA interaction")
                await database.execute(TABLE.format(json="json", raw="bytea"))
            else:
                await database.execute(TABLE.format(json="text", raw="blob"))
            return await act(database)
        finally:
            await database.close()
            await database.close()

    return asyncio.run(main())


async def fill(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.insert_rows("interaction.sample", COLUMNS, ROWS)

    await database.transaction(work)


async def all_rows(database: Database) -> list[tuple[object, ...]]:
    sql = f"SELECT {', '.join(COLUMNS)} FROM interaction.sample ORDER BY tenant_id, name"
    return [tuple(row) for row in await database.fetch(sql)]


def test_rows_come_back_as_they_went_in(database_url: str) -> None:
    """Integers, texts, booleans, JSON texts, bytes, floats and NULL survive a bulk insert."""

    async def act(database: Database) -> None:
        await fill(database)
        stored = await all_rows(database)
        assert stored == ROWS
        assert [type(row[4]) for row in stored] == [bool, bool, type(None)]

    run_on(database_url, act)


def test_every_text_comes_back_as_it_went_in(database_url: str) -> None:
    """No character has a meaning on the way, alone or beside quotes and backslashes, as key or as value."""
    characters = [chr(code) for code in (*range(1, 0x180), 0x2028, 0xFEFF, 0x1F600)]
    around = ("{}", "{}a", '"{}"', "\\{}", "\\\\{}", "{}\\", "{{{},}}")
    words = ["", "NULL", "null", "true", "{}", "{NULL}", "1,2", " a ", "\\N"]
    texts = sorted({*words, *(form.format(each) for each in characters for form in around)})
    alone = {(1, text): text for text in texts}

    async def act(database: Database) -> None:
        async def write_each_alone(transaction: Transaction) -> None:
            for text in words:
                await transaction.insert_rows(
                    "interaction.sample", ("tenant_id", "name"), [(2, text)]
                )

        async def write_together(transaction: Transaction) -> None:
            await transaction.insert_rows(
                "interaction.sample", ("tenant_id", "name"), [(1, text) for text in texts]
            )

        await database.transaction(write_each_alone)
        await database.transaction(write_together)
        found = await database.fetch_keys(
            "interaction.sample", ("tenant_id", "name"), ("tenant_id", "name"), list(alone)
        )
        assert {(row[0], row[1]): row[1] for row in found} == alone
        rows = await database.fetch("SELECT name FROM interaction.sample WHERE tenant_id = 2")
        assert {row[0] for row in rows} == set(words)

    run_on(database_url, act)


def test_parameters_are_numbered(database_url: str) -> None:
    """`$2` is the second argument wherever it stands, and may stand twice."""

    async def act(database: Database) -> None:
        await fill(database)
        sql = "SELECT name FROM interaction.sample WHERE name = $2 AND tenant_id = $1 AND $2 <> ''"
        assert [tuple(row) for row in await database.fetch(sql, 2, "a")] == [("a",)]

    run_on(database_url, act)


def test_texts_are_ordered_by_bytes(database_url: str) -> None:
    """Capital letters come before small ones and letters with marks last, on every engine."""

    async def act(database: Database) -> None:
        for name in ("ä", "a", "Z", "B"):
            await database.execute(
                "INSERT INTO interaction.sample (tenant_id, name) VALUES (1, $1)", name
            )
        assert [row[1] for row in await all_rows(database)] == ["B", "Z", "a", "ä"]

    run_on(database_url, act)


def test_execute_counts_changed_rows(database_url: str) -> None:
    """The number of rows of an UPDATE or DELETE is returned; a statement of another kind has 0."""

    async def act(database: Database) -> None:
        await fill(database)
        change = "UPDATE interaction.sample SET count = 7 WHERE tenant_id = $1"
        assert await database.execute(change, 1) == 2
        assert await database.execute(change, 9) == 0
        assert await database.execute("CREATE TABLE interaction.other (a integer)") == 0

    run_on(database_url, act)


def test_returning_rows_are_committed(database_url: str) -> None:
    """A change fetched with RETURNING outside a transaction stays."""

    async def act(database: Database) -> None:
        await fill(database)
        sql = "UPDATE interaction.sample SET count = 9 WHERE name = $1 RETURNING tenant_id"
        assert sorted(row[0] for row in await database.fetch(sql, "a")) == [1, 2]
        assert [row[2] for row in await all_rows(database)] == [9, None, 9]

    run_on(database_url, act)


@pytest.mark.parametrize("count", [0, 1, 3, 512, 513, 1300])
def test_fetch_keys_finds_what_is_there(database_url: str, count: int) -> None:
    """Rows of any number of keys come in one call; keys that do not exist have no row."""

    async def act(database: Database) -> None:
        rows = [(1, f"n{place}", place % 100) for place in range(count)]

        async def work(transaction: Transaction) -> int:
            columns = ("tenant_id", "name", "count")
            await transaction.insert_rows("interaction.sample", columns, rows)
            keys = [*((1, name) for _, name, _ in rows), (1, "missing"), (2, "n0")]
            found = await transaction.fetch_keys(
                "interaction.sample", columns, ("tenant_id", "name"), keys
            )
            assert sorted(tuple(row) for row in found) == sorted(rows)
            return len(found)

        assert await database.transaction(work) == count
        keys = ((1, f"n{place}") for place in range(count))
        key_columns = ("tenant_id", "name")
        found = await database.fetch_keys("interaction.sample", ("name",), key_columns, keys)
        assert len(found) == count

    run_on(database_url, act)


def test_update_rows_sets_each_row_its_own(database_url: str) -> None:
    """Many rows change in one call, each to its own values, NULL included; a missing one is passed over."""

    async def act(database: Database) -> None:
        await fill(database)

        async def work(transaction: Transaction) -> None:
            await transaction.update_rows(
                "interaction.sample",
                ("tenant_id", "name"),
                ("count", "is_open", "body", "raw"),
                [
                    (1, "a", None, False, "[]", b"x"),
                    (2, "a", 5, True, None, None),
                    (3, "?", *[None] * 4),
                ],
            )

        await database.transaction(work)
        assert [(row[2], row[4], row[5], row[6]) for row in await all_rows(database)] == [
            (None, False, "[]", b"x"),
            (None, False, None, None),
            (5, True, None, None),
        ]

    run_on(database_url, act)


def test_delete_rows_by_key(database_url: str) -> None:
    """Rows go by key; keys that do not exist are passed over; no rows is no statement."""

    async def act(database: Database) -> None:
        await fill(database)

        async def work(transaction: Transaction) -> None:
            keys = ("tenant_id", "name")
            await transaction.delete_rows("interaction.sample", keys, [])
            some = [(1, "a"), (2, "a"), (2, "zz")]
            await transaction.delete_rows("interaction.sample", keys, some)

        await database.transaction(work)
        assert [row[:2] for row in await all_rows(database)] == [(1, "b")]

    run_on(database_url, act)


_CHANGE = "UPDATE interaction.sample SET count = $2 WHERE tenant_id = $1 AND name = 'a'"


@pytest.mark.parametrize("asks_between", [False, True])
def test_what_is_required_fails_everything_else(database_url: str, asks_between: bool) -> None:
    """A required change that finds no row raises its own error and leaves nothing of the transaction."""

    async def act(database: Database) -> None:
        await fill(database)
        before = await all_rows(database)

        async def work(transaction: Transaction) -> None:
            await transaction.delete_rows("interaction.sample", ("tenant_id",), [(1,)])
            if asks_between:
                assert len(await transaction.fetch("SELECT 1 FROM interaction.sample")) == 1
            await transaction.require(_CHANGE, 9, 5, otherwise=LookupError("mine"))

        with pytest.raises(LookupError, match="mine"):
            await database.transaction(work)
        assert await all_rows(database) == before

    run_on(database_url, act)


def test_what_is_required_and_found_is_changed(database_url: str) -> None:
    """A required change is made with the rest, whatever its parameters' places are."""

    async def act(database: Database) -> None:
        await fill(database)

        async def work(transaction: Transaction) -> None:
            await transaction.delete_rows("interaction.sample", ("tenant_id",), [(1,)])
            await transaction.require(_CHANGE, 2, 5, otherwise=LookupError("mine"))

        await database.transaction(work)
        assert [row[:3] for row in await all_rows(database)] == [(2, "a", 5)]

    run_on(database_url, act)


def test_writes_of_one_table_keep_their_order(database_url: str) -> None:
    """A row deleted and inserted again, changed, and deleted: each write finds what the one before left."""

    async def act(database: Database) -> None:
        await fill(database)
        table, keys = "interaction.sample", ("tenant_id", "name")

        async def work(transaction: Transaction) -> None:
            await transaction.delete_rows(table, keys, [(1, "a"), (2, "a")])
            await transaction.insert_rows(table, (*keys, "count"), [(1, "a", 8), (2, "a", 8)])
            await transaction.delete_rows(table, keys, [(1, "b")])
            await transaction.update_rows(table, keys, ("count",), [(1, "a", 9)])
            await transaction.insert_rows(table, (*keys, "count"), [(1, "b", 7)])

        await database.transaction(work)
        assert [row[:3] for row in await all_rows(database)] == [
            (1, "a", 9),
            (1, "b", 7),
            (2, "a", 8),
        ]

    run_on(database_url, act)


def test_a_failed_transaction_leaves_nothing(database_url: str) -> None:
    """Whatever the work raises rolls back all of it, comes out, and the next one works."""

    async def act(database: Database) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.insert_rows("interaction.sample", COLUMNS, ROWS)
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await database.transaction(work)
        assert await all_rows(database) == []
        await fill(database)

    run_on(database_url, act)


def test_a_broken_key_is_named(database_url: str) -> None:
    """A second row with a key fails as ConstraintViolated, and nothing of the batch stays."""

    async def act(database: Database) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.insert_rows("interaction.sample", COLUMNS, [*ROWS, ROWS[0]])

        with pytest.raises(ConstraintViolated) as caught:
            await database.transaction(work)
        assert "sample" in caught.value.constraint
        assert await all_rows(database) == []

    run_on(database_url, act)


def test_a_wrong_statement_is_the_statements_fault(database_url: str) -> None:
    """A table that does not exist is a DatabaseError, not an unavailable database."""

    async def act(database: Database) -> None:
        with pytest.raises(DatabaseError):
            await database.fetch("SELECT a FROM interaction.nothing")

        async def work(transaction: Transaction) -> None:
            await transaction.update_rows("interaction.nothing", ("a",), ("b",), [(1, 2)])

        with pytest.raises(DatabaseError):
            await database.transaction(work)

    run_on(database_url, act)


def test_transactions_take_turns(database_url: str) -> None:
    """Two transactions at once run one after the other, so that neither loses the other's change."""

    async def act(database: Database) -> None:
        await fill(database)

        async def add(transaction: Transaction) -> None:
            sql = "SELECT count FROM interaction.sample WHERE tenant_id = 2 AND name = 'a'"
            [(count,)] = await transaction.fetch(sql)
            await asyncio.sleep(0)
            sql = "UPDATE interaction.sample SET count = $1 WHERE tenant_id = 2 AND name = 'a'"
            await transaction.execute(sql, count + 1)

        await asyncio.gather(*(database.transaction(add) for _ in range(5)))
        assert (await all_rows(database))[2][2] == 8

    run_on(database_url, act)


def test_readers_never_see_an_open_transaction(database_url: str) -> None:
    """A fetch beside a transaction shows the rows from before it or from after its commit."""

    async def act(database: Database) -> None:
        written, seen = asyncio.Event(), []

        async def work(transaction: Transaction) -> None:
            await transaction.insert_rows("interaction.sample", COLUMNS, ROWS[:2])
            written.set()
            await asyncio.sleep(0.01)
            await transaction.insert_rows("interaction.sample", COLUMNS, ROWS[2:])

        async def look() -> None:
            await written.wait()
            seen.append(len(await all_rows(database)))

        await asyncio.gather(database.transaction(work), look())
        assert seen in ([0], [3])

    run_on(database_url, act)


def test_a_cancelled_transaction_leaves_nothing(database_url: str) -> None:
    """A caller that goes in the middle rolls back, and the next transaction works."""

    async def act(database: Database) -> None:
        written = asyncio.Event()

        async def work(transaction: Transaction) -> None:
            await transaction.insert_rows("interaction.sample", COLUMNS, ROWS)
            written.set()
            await asyncio.Event().wait()

        caller = asyncio.create_task(database.transaction(work))
        await written.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert await all_rows(database) == []
        await fill(database)

    run_on(database_url, act)


def test_a_database_that_is_away_is_said_so() -> None:
    """A file in a folder that does not exist is `database_unavailable`, with the file's name."""
    point = from_url("sqlite:////nonexistent-folder/site.db")
    with pytest.raises(PacelineError, match="site") as caught:
        open_database(point, times=real_times())
    assert caught.value.name == "database_unavailable"
    assert caught.value.outcome == "not_done"

"""SQLite behind the port: one connection in one own thread, or inline for simulations.

Opened by opening.py. Each schema is a database of its own, attached under its name, so that the
same `schema.table` works as on PostgreSQL; with files, a transaction over several schemas is not
atomic when the machine loses power, and no server writes more than one. Never used by many.
"""

import sqlite3
from asyncio import Lock, Task, current_task, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

from paceline.errors.failure import PacelineError
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import (
    SCHEMAS,
    ConstraintViolated,
    DatabaseError,
    Engine,
    Row,
    T,
    Transaction,
)

P = ParamSpec("P")
A = TypeVar("A")

BUSY_TIMEOUT_S = 5.0
"""As long as a lock is waited for on PostgreSQL."""
KEYS_PER_STATEMENT = 512
"""Far below the 32,766 parameters of SQLite 3.32 and later with four key columns (chosen)."""

_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
}

# Columns declared BOOLEAN come back as True and False, as on PostgreSQL.
sqlite3.register_converter("BOOLEAN", lambda stored: stored != b"0")


def _sha256(text: str) -> bytes:
    """For migrations, which can only issue statements; SQLite has no such function of its own."""
    return sha256(text.encode()).digest()


def _arguments(args: Sequence[object]) -> dict[str, object]:
    """Values of `$1, $2 …`, which SQLite takes for parameters named 1, 2 …"""
    return {str(place): value for place, value in enumerate(args, 1)}


@contextmanager
def _translated(access_point: AccessPoint) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintViolated(str(error), str(error).rpartition(": ")[2]) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte is the kind, the rest its detail (sqlite.org/rescode.html).
        if code is not None and code & 0xFF in _AWAY:
            what = f"{access_point.describe()}: {error}; check the file, its folder and the disk"
            raise PacelineError("database_unavailable", what, retry_after_s=1.0) from error
        raise DatabaseError(str(error)) from error


class _Statements:
    """What the one connection does, in the thread that owns it."""

    def __init__(self, access_point: AccessPoint, schemas: Sequence[str]) -> None:
        self._access_point = access_point
        path = access_point.database
        with _translated(access_point):
            self.connection = sqlite3.connect(
                path or ":memory:",
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                detect_types=sqlite3.PARSE_DECLTYPES,
                check_same_thread=False,  # made here, used in its own thread only
                cached_statements=256,
            )
            self.connection.create_function("sha256", 1, _sha256)
            for schema in schemas:
                self._attach(schema, _beside(path, schema) if path else ":memory:")

    def _attach(self, schema: str, place: str) -> None:
        run = self.connection.execute
        run(f"ATTACH ? AS {schema}", (place,))
        if place == ":memory:":
            run(f"PRAGMA {schema}.synchronous = OFF")
        else:
            run(f"PRAGMA {schema}.journal_mode = WAL")
            run(f"PRAGMA {schema}.synchronous = FULL")

    def fetch(self, sql: str, args: Sequence[object]) -> list[Row]:
        with _translated(self._access_point):
            return list(self.connection.execute(sql, _arguments(args)))

    def execute(self, sql: str, args: Sequence[object]) -> int:
        with _translated(self._access_point):
            return max(self.connection.execute(sql, _arguments(args)).rowcount, 0)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        with _translated(self._access_point):
            return max(self.connection.executemany(sql, rows).rowcount, 0)

    def roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.rollback()

    def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        left = iter(keys)
        rows: list[Row] = []
        names = [f"key_{place}" for place in range(len(key_columns))]
        match = " AND ".join(f"kept.{a} = {b}" for a, b in zip(key_columns, names, strict=True))
        # CROSS JOIN keeps the order of the tables: the index is searched once for each key.
        tail = (
            f" SELECT {', '.join(f'kept.{name}' for name in columns)}"
            f" FROM given CROSS JOIN {table} AS kept ON {match}"
        )
        no_key = [None] * len(key_columns)
        one = f"({', '.join('?' * len(key_columns))})"
        with _translated(self._access_point):
            while some := list(islice(left, KEYS_PER_STATEMENT)):
                # Padded to a power of two with keys that match nothing: few texts to compile.
                some += [no_key] * ((1 << (len(some) - 1).bit_length()) - len(some))
                values = ", ".join([one] * len(some))
                sql = f"WITH given ({', '.join(names)}) AS (VALUES {values}){tail}"
                rows += self.connection.execute(sql, [value for key in some for value in key])
        return rows


def _beside(path: str, schema: str) -> str:
    """File of a schema beside the named file: site.db → site.interaction.db."""
    named = Path(path)
    return str(named.with_name(f"{named.stem}.{schema}{named.suffix}"))


class _SqliteTransaction:
    """The open transaction of the one connection."""

    def __init__(self, database: "SqliteDatabase", statements: _Statements) -> None:
        self._run = database.run
        self._statements = statements

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        return await self._run(self._statements.fetch, sql, args)

    async def execute(self, sql: str, *args: object) -> int:
        return await self._run(self._statements.execute, sql, args)

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        return await self._run(self._statements.fetch_keys, table, columns, key_columns, keys)

    async def require(self, sql: str, *args: object, otherwise: Exception) -> None:
        if await self.execute(sql, *args) != 1:
            raise otherwise

    async def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        places = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        await self._run(self._statements.execute_many, sql, rows)

    async def update_rows(
        self,
        table: str,
        key_columns: Sequence[str],
        set_columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> None:
        changes = ", ".join(f"{name} = ?" for name in set_columns)
        sql = f"UPDATE {table} SET {changes} WHERE {_match(key_columns)}"
        size = len(key_columns)
        turned = [(*row[size:], *row[:size]) for row in rows]
        await self._run(self._statements.execute_many, sql, turned)

    async def delete_rows(
        self, table: str, key_columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        sql = f"DELETE FROM {table} WHERE {_match(key_columns)}"
        await self._run(self._statements.execute_many, sql, rows)


def _match(key_columns: Sequence[str]) -> str:
    return " AND ".join(f"{name} = ?" for name in key_columns)


class SqliteDatabase:
    """A SQLite database; the guarantees are the port's.

    Parameters
    ----------
    inline
        Run in the caller instead of an own thread: a virtual event loop cannot see a thread.
    """

    engine: Engine = "sqlite"

    def __init__(
        self, access_point: AccessPoint, *, inline: bool = False, schemas: Sequence[str] = SCHEMAS
    ) -> None:
        self._statements = _Statements(access_point, schemas)
        self._thread = None if inline else ThreadPoolExecutor(1, "sqlite")
        self._turn = Lock()
        self._in_transaction: Task[object] | None = None
        self._closed = False

    async def run(self, act: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> A:
        """Do something with the connection where it lives."""
        if self._closed:
            raise PacelineError("database_unavailable", "the SQLite database is closed")
        if self._thread is None:
            return act(*args, **kwargs)
        return await get_running_loop().run_in_executor(self._thread, partial(act, *args, **kwargs))

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        async with self._alone():
            return await self.run(self._statements.fetch, sql, args)

    async def execute(self, sql: str, *args: object) -> int:
        async with self._alone():
            return await self.run(self._statements.execute, sql, args)

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        async with self._alone():
            return await self.run(self._statements.fetch_keys, table, columns, key_columns, keys)

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        statements = self._statements
        async with self._alone():
            self._in_transaction = current_task()
            try:
                await self.run(statements.execute, "BEGIN IMMEDIATE", ())
                answer = await work(_SqliteTransaction(self, statements))
                await self.run(statements.execute, "COMMIT", ())
            except BaseException:
                await self.run(statements.roll_back)
                raise
            finally:
                self._in_transaction = None
            return answer

    async def change_schema(self, sql: str, *, lock_timeout_s: float | None = None) -> None:
        await self.execute(sql)

    async def schema_transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self.transaction(work)

    async def close(self) -> None:
        if self._closed:
            return
        async with self._turn:
            await self.run(self._statements.connection.close)
            self._closed = True
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """The connection for one statement or transaction, in order of arrival."""
        if self._in_transaction is not None and self._in_transaction is current_task():
            raise RuntimeError("inside a transaction ask the transaction, not the database")
        async with self._turn:
            yield

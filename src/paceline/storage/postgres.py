"""PostgreSQL behind the port: asyncpg, one connection that writes and a small pool that reads.

Opened by opening.py. Bulk rows go by COPY and arrays, whose types are read once from the
catalogue. Never makes or changes a schema: that is migrate.py.
"""

from asyncio import Lock, timeout
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias, cast

import asyncpg

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import DatabaseError, Engine, Row, T, Transaction
from paceline.storage.postgres_errors import (
    DRIVER_ERRORS,
    is_lost,
    may_come_back,
    translated,
    unreachable,
)

STATEMENT_TIMEOUT_S = 10.0
"""The default `timeout_s` of a request (INTERFACES: Deadlines)."""
LOCK_TIMEOUT_S = 5.0
"""Half of it: a lock is waited for by one writer only, so a long wait is a fault (chosen)."""
ANSWER_TIMEOUT_S = STATEMENT_TIMEOUT_S + 2.0
"""The server's own timeout speaks first; later the network or a synchronous standby hangs."""
CONNECT_PATIENCE_S = 5.0
"""Longer than crash recovery of the embedded database under load (0.1-0.2 s measured)."""
CLOSE_PATIENCE_S = 2.0
"""A statement still running at the end is given up after this (chosen)."""
CONNECT_AGAIN_S = 0.1
"""Pause between tries to connect (chosen)."""

_KEYED_PLANS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Writes go by key: a plan made while the table was empty must not scan it when it is full."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class _Statements:
    """SQL of keyed statements over arrays, with the column types of this database."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, str]] = {}
        self._texts: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], str] = {}

    async def select(
        self, on: Connection, table: str, columns: Sequence[str], keys: Sequence[str]
    ) -> str:
        """Rows by key: parameters are one array per key column."""
        return await self._text(on, "select", table, tuple(keys), tuple(columns))

    async def update(
        self, on: Connection, table: str, keys: Sequence[str], columns: Sequence[str]
    ) -> str:
        """Change rows by key: parameters are one array per key column, then per set column."""
        return await self._text(on, "update", table, tuple(keys), tuple(columns))

    async def delete(self, on: Connection, table: str, keys: Sequence[str]) -> str:
        """Delete rows by key: parameters are one array per key column."""
        return await self._text(on, "delete", table, tuple(keys), ())

    async def _text(
        self,
        on: Connection,
        verb: str,
        table: str,
        keys: tuple[str, ...],
        columns: tuple[str, ...],
    ) -> str:
        known = self._texts.get((verb, table, keys, columns))
        if known is None:
            types = await self._column_types(on, table)
            known = _compose(verb, table, keys, columns, types)
            self._texts[verb, table, keys, columns] = known
        return known

    async def _column_types(self, on: Connection, table: str) -> dict[str, str]:
        types = self._types.get(table)
        if types is None:
            rows = await on.fetch(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
                " WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                table,
            )
            if not rows:
                raise DatabaseError(f"table {table} does not exist; run paceline db upgrade")
            types = self._types[table] = {row[0]: row[1] for row in rows}
        return types


def _compose(
    verb: str, table: str, keys: Sequence[str], columns: Sequence[str], types: dict[str, str]
) -> str:
    given = [*keys, *columns] if verb == "update" else list(keys)
    unknown = [column for column in (*keys, *columns) if column not in types]
    if unknown:
        raise DatabaseError(f"table {table} has no column {unknown[0]}")
    arrays = ", ".join(f"${place}::{types[name]}[]" for place, name in enumerate(given, 1))
    names = ", ".join(given)
    source = f"unnest({arrays}) AS given ({names})"
    match = " AND ".join(f"kept.{name} = given.{name}" for name in keys)
    if verb == "select":
        wanted = ", ".join(f"kept.{name}" for name in columns)
        return f"SELECT {wanted} FROM {source} JOIN {table} AS kept ON {match}"
    if verb == "update":
        changes = ", ".join(f"{name} = given.{name}" for name in columns)
        return f"UPDATE {table} AS kept SET {changes} FROM {source} WHERE {match}"
    return f"DELETE FROM {table} AS kept USING {source} WHERE {match}"


def _count(status: str) -> int:
    """Rows in a command tag such as `UPDATE 3`; 0 for one without a number."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


class _PostgresTransaction:
    """Statements on one connection; the database translates their errors."""

    def __init__(self, connection: Connection, statements: _Statements) -> None:
        self._connection = connection
        self._statements = statements

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        return cast(list[Row], await self._connection.fetch(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        return _count(await self._connection.execute(sql, *args))

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        arrays = list(zip(*keys, strict=True))
        if not arrays:
            return []
        sql = await self._statements.select(self._connection, table, columns, key_columns)
        return cast(list[Row], await self._connection.fetch(sql, *arrays))

    async def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        if not rows:
            return
        schema, _, name = table.rpartition(".")
        await self._connection.copy_records_to_table(
            name, schema_name=schema or None, columns=columns, records=rows
        )

    async def update_rows(
        self,
        table: str,
        key_columns: Sequence[str],
        set_columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> int:
        if not rows:
            return 0
        sql = await self._statements.update(self._connection, table, key_columns, set_columns)
        return await self.execute(sql, *zip(*rows, strict=True))

    async def delete_rows(
        self, table: str, key_columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> int:
        if not rows:
            return 0
        sql = await self._statements.delete(self._connection, table, key_columns)
        return await self.execute(sql, *zip(*rows, strict=True))


async def _keep_session(_connection: object) -> None:
    """Nothing here changes a pooled session, so giving it back needs no round trip."""


class PostgresDatabase:
    """A PostgreSQL database; the guarantees are the port's."""

    engine: Engine = "postgresql"

    def __init__(self, access_point: AccessPoint, *, times: Times, pool_size: int) -> None:
        self._access_point = access_point
        self._times = times
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._writer: Connection | None = None
        self._writing = Lock()
        self._statements = _Statements()

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        with translated(self._access_point, lost=_if_lost(sql)):
            async with self._reader() as reader:
                return await reader.fetch(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        with translated(self._access_point, lost=_if_lost(sql)):
            async with self._reader() as reader:
                return await reader.execute(sql, *args)

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        with translated(self._access_point):
            async with self._reader() as reader:
                return await reader.fetch_keys(table, columns, key_columns, keys)

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._writing:
            writer = await self._connected_writer()
            try:
                with translated(self._access_point):
                    await writer.execute("BEGIN")
                    answer = await work(_PostgresTransaction(writer, self._statements))
            except BaseException as error:
                await self._roll_back(writer, error)
                raise
            await self._commit(writer)
            return answer

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        writer, self._writer = self._writer, None
        try:
            async with timeout(CLOSE_PATIENCE_S):
                if pool is not None:
                    await pool.close()
                if writer is not None:
                    await writer.close()
        except DRIVER_ERRORS:
            pass  # a connection that is gone or busy is dropped
        if pool is not None:
            pool.terminate()

    async def _commit(self, writer: Connection) -> None:
        try:
            with translated(self._access_point, lost="outcome_unknown"):
                done = await writer.execute("COMMIT")
        except BaseException:
            self._drop(writer)
            raise
        if done != "COMMIT":
            raise DatabaseError("the transaction had failed before; nothing was committed")

    async def _roll_back(self, writer: Connection, error: BaseException) -> None:
        lost = isinstance(error, PacelineError) and is_lost(error.__cause__ or error)
        if lost or not isinstance(error, Exception) or writer.is_closed():
            self._drop(writer)  # lost, or cancelled in the middle of a statement
            return
        try:
            await writer.execute("ROLLBACK")
        except DRIVER_ERRORS:
            self._drop(writer)

    def _drop(self, writer: Connection) -> None:
        writer.terminate()
        if self._writer is writer:
            self._writer = None

    async def _connected_writer(self) -> Connection:
        if self._writer is None or self._writer.is_closed():
            self._writer = await self._connect(settings=_KEYED_PLANS)
        return self._writer

    @asynccontextmanager
    async def _reader(self) -> "AsyncIterator[_PostgresTransaction]":
        """A pooled connection; each statement commits by itself."""
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                min_size=0,
                max_size=self._pool_size,
                connect=partial(self._connect, settings={}),
                reset=_keep_session,
            )
        # Awaiting a pool twice is fine; with min_size 0 it opens nothing by itself.
        pool = await self._pool
        async with pool.acquire(timeout=ANSWER_TIMEOUT_S) as borrowed:
            yield _PostgresTransaction(cast(Connection, borrowed), self._statements)

    async def _connect(self, *_given: Any, settings: dict[str, str], **_pool: Any) -> Connection:
        """A new connection; waits a little for a server that starts or restarts."""
        point = self._access_point
        give_up_at = self._times.machine.monotonic() + CONNECT_PATIENCE_S
        while True:
            try:
                return await asyncpg.connect(
                    host=point.host,
                    port=point.port,
                    user=point.user or None,
                    password=point.password.reveal() if point.password else None,
                    database=point.database,
                    ssl=None if point.host.startswith("/") else point.ssl_mode,
                    timeout=CONNECT_PATIENCE_S,
                    command_timeout=ANSWER_TIMEOUT_S,
                    max_cached_statement_lifetime=0,
                    server_settings=_SESSION | settings,
                )
            except DRIVER_ERRORS as error:
                late = self._times.machine.monotonic() >= give_up_at
                if late or not may_come_back(error):
                    raise unreachable(point, error) from error
            await self._times.machine.sleep(CONNECT_AGAIN_S)


_SESSION = {
    "application_name": "paceline",
    "statement_timeout": str(int(STATEMENT_TIMEOUT_S * 1000)),
    "lock_timeout": str(int(LOCK_TIMEOUT_S * 1000)),
    # A writer whose network broke keeps its locks until its session ends by itself.
    "idle_in_transaction_session_timeout": str(int(LOCK_TIMEOUT_S * 1000)),
    "jit": "off",  # short statements by key: compiling costs more than it saves
    "timezone": "UTC",
}


def _if_lost(sql: str) -> str:
    """A lost read did nothing; a lost change may have happened."""
    return "database_unavailable" if sql.lstrip()[:6].upper() == "SELECT" else "outcome_unknown"

"""PostgreSQL behind the port: asyncpg, one connection that writes and a small pool that reads.

Opened by opening.py. Rows go by arrays, whose types are read once from the catalogue. Never makes
or changes a schema: that is migrate.py.
"""

from asyncio import Lock, timeout
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

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
from paceline.storage.postgres_statements import Connection, Statements, Write, fetch_keys

STATEMENT_TIMEOUT_S = 10.0
"""The default `timeout_s` of a request (INTERFACES: Deadlines)."""
LOCK_TIMEOUT_S = 5.0
"""Half of it: a lock is waited for by one writer only, so a long wait is a fault (chosen)."""
ANSWER_TIMEOUT_S = STATEMENT_TIMEOUT_S + 2.0
"""The server's own timeout speaks first; later the network or a synchronous standby hangs."""
CONNECT_PATIENCE_S = 5.0
"""Longer than crash recovery of the embedded database under load (0.1-0.2 s measured)."""
SCHEMA_TIMEOUT_S = 86_400.0
"""An index over the largest table that a node may hold takes minutes; this only ends what hangs (chosen)."""
CLOSE_PATIENCE_S = 2.0
"""A statement still running at the end is given up after this (chosen)."""
CONNECT_AGAIN_S = 0.1
"""Pause between tries to connect (chosen)."""

_KEYED_PLANS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Writes go by key: a plan made while the table was empty must not scan it when it is full. One plan for
all sizes of arrays: planning anew costs more than the statement."""


class _PostgresTransaction:
    """Statements on one connection; the database translates their errors.

    Writes of rows gather and go together: one round trip instead of one for each, and where nothing
    else was asked, no BEGIN and no COMMIT either. A statement of any other kind is preceded by them.
    """

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._gathered: list[Write] = []
        self.is_begun = False

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        await self._before(sql)
        return cast(list[Row], await self._connection.fetch(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        await self._before(sql)
        return _count(await self._connection.execute(sql, *args))

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        await self._before("SELECT")
        return await fetch_keys(
            self._connection, self._statements, table, columns, key_columns, keys
        )

    async def require(self, sql: str, *args: object, otherwise: Exception) -> None:
        await self._add(Write("require", sql, (), (), args, otherwise))

    async def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        if rows:
            await self._add(
                Write("insert", table, (), tuple(columns), tuple(zip(*rows, strict=True)))
            )

    async def update_rows(
        self,
        table: str,
        key_columns: Sequence[str],
        set_columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> None:
        if rows:
            arrays = tuple(zip(*rows, strict=True))
            await self._add(Write("update", table, tuple(key_columns), tuple(set_columns), arrays))

    async def delete_rows(
        self, table: str, key_columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        if rows:
            arrays = tuple(zip(*rows, strict=True))
            await self._add(Write("delete", table, tuple(key_columns), (), arrays))

    async def carry_out(self) -> None:
        """Do what has gathered, in one statement."""
        writes, self._gathered = self._gathered, []
        if not writes:
            return
        statement = await self._statements.together(self._connection, writes)
        values = statement.arguments(value for write in writes for value in write.values)
        try:
            await self._connection.fetch(statement.text, *values)
        except asyncpg.DivisionByZeroError:
            raise next(w.otherwise for w in writes if w.otherwise is not None) from None

    async def _add(self, write: Write) -> None:
        """Together only with what cannot meet it: on one table insert, then update, then delete."""
        if any(w.table == write.table and w.rank >= write.rank for w in self._gathered):
            await self._begin()
            await self.carry_out()
        self._gathered.append(write)

    async def _before(self, sql: str) -> None:
        """What has gathered goes first; a plain question alone needs no transaction."""
        if self._gathered or not _is_question(sql):
            await self._begin()
            await self.carry_out()

    async def _begin(self) -> None:
        if not self.is_begun:
            await self._connection.execute("BEGIN")
            self.is_begun = True


class _Reader:
    """Single statements on a pooled connection, each of which commits by itself."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
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
        return await fetch_keys(
            self._connection, self._statements, table, columns, key_columns, keys
        )


def _count(status: str) -> int:
    """Rows in a command tag such as `UPDATE 3`; 0 for one without a number."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


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
        self._statements = Statements()

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
            transaction = _PostgresTransaction(writer, self._statements)
            try:
                with translated(self._access_point):
                    answer = await work(transaction)
                    if transaction.is_begun:
                        await transaction.carry_out()
            except BaseException as error:
                await self._roll_back(transaction, writer, error)
                raise
            await self._commit(transaction, writer)
            return answer

    async def change_schema(self, sql: str, *, lock_timeout_s: float | None = None) -> None:
        lock_timeout_ms = 0 if lock_timeout_s is None else int(lock_timeout_s * 1000)
        settings = {"statement_timeout": "0", "lock_timeout": str(lock_timeout_ms)}
        with translated(self._access_point, lost="outcome_unknown"):
            connection = await self._connect(settings=settings)
            try:
                await connection.execute(sql, timeout=SCHEMA_TIMEOUT_S)
            finally:
                connection.terminate()

    async def schema_transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        settings = {"statement_timeout": "0"}
        with translated(self._access_point, lost="outcome_unknown"):
            connection = await self._connect(settings=settings, answer_timeout_s=SCHEMA_TIMEOUT_S)
            try:
                async with connection.transaction():
                    transaction = _PostgresTransaction(connection, self._statements)
                    transaction.is_begun = True
                    answer = await work(transaction)
                    await transaction.carry_out()
            finally:
                connection.terminate()
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

    async def _commit(self, transaction: _PostgresTransaction, writer: Connection) -> None:
        """Commit what was begun; what only gathered is one statement that commits by itself."""
        try:
            with translated(self._access_point, lost="outcome_unknown"):
                if not transaction.is_begun:
                    await transaction.carry_out()
                    return
                done = await writer.execute("COMMIT")
        except BaseException as error:
            if transaction.is_begun or _breaks(writer, error):
                self._drop(writer)
            raise
        if done != "COMMIT":
            raise DatabaseError("the transaction had failed before; nothing was committed")

    async def _roll_back(
        self, transaction: _PostgresTransaction, writer: Connection, error: BaseException
    ) -> None:
        if _breaks(writer, error):
            self._drop(writer)
            return
        if not transaction.is_begun:
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
    async def _reader(self) -> "AsyncIterator[_Reader]":
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
            yield _Reader(cast(Connection, borrowed), self._statements)

    async def _connect(
        self,
        *_given: Any,
        settings: dict[str, str],
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        **_pool: Any,
    ) -> Connection:
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
                    command_timeout=answer_timeout_s,
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


def _breaks(writer: Connection, error: BaseException) -> bool:
    """Whether the connection is of no more use: lost, or cancelled in the middle of a statement."""
    lost = isinstance(error, PacelineError) and is_lost(error.__cause__ or error)
    return lost or not isinstance(error, Exception) or writer.is_closed()


def _is_question(sql: str) -> bool:
    """Whether a statement only reads and locks nothing."""
    text = sql.lstrip().upper()
    return text.startswith("SELECT") and " FOR " not in text and "LOCK(" not in text


def _if_lost(sql: str) -> str:
    """A lost read did nothing; a lost change may have happened."""
    return "database_unavailable" if sql.lstrip()[:6].upper() == "SELECT" else "outcome_unknown"

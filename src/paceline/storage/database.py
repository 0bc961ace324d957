"""The port to a database: what every engine does for a server's store, the lane and the lease.

One SQL text runs on every engine: parameters `$1, $2 …`, tables `schema.table`, instants BIGINT
milliseconds, JSON passed as text, booleans real, casts as CAST(… AS …). Text is ordered by bytes.
Implemented by postgres.py and sqlite.py, opened by opening.py; never knows a table of a server.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Engine = Literal["postgresql", "sqlite"]

Row = Sequence[Any]
"""A row by position; unpack it or index it, never by name."""

SCHEMAS = ("cluster", "configuration", "message", "interaction", "stat", "pacing", "engagement")
"""Schemas that a database may hold: one per server kind that stores something, and the lease's."""


class DatabaseError(Exception):
    """A statement failed for what it says or holds; the database itself is well. Not done."""


class ConstraintViolated(DatabaseError):
    """A row broke a constraint: a key that exists, a missing reference, a failed check.

    Parameters
    ----------
    constraint
        Name of the constraint on PostgreSQL; on SQLite the columns as it names them.
    """

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class Queries(Protocol):
    """What can be asked with or without a transaction."""

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """Rows of a statement; also of one that changes rows and ends with RETURNING."""
        ...

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement; the number of rows it changed."""
        ...

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        """Rows of `table` whose key is in `keys`, in no order; a missing key has no row.

        Parameters
        ----------
        columns
            What to return, usually the key columns first, so that rows can be put in a dict.
        keys
            Distinct tuples in the order of `key_columns`, none of them with NULL. One statement on
            PostgreSQL, one per 512 keys on SQLite; none when there is no key.
        """
        ...


class Transaction(Queries, Protocol):
    """One open transaction on the connection that writes; valid only inside its `work`.

    The writes below may be carried out later, together, at the latest with the commit; a question
    asked in between sees them. What is wrong with one (`ConstraintViolated`) is then told there.
    """

    async def require(self, sql: str, *args: object, otherwise: Exception) -> None:
        """Change exactly one row by an UPDATE, INSERT or DELETE, or fail everything with `otherwise`."""
        ...

    async def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Insert many rows at once. A key that exists fails the transaction."""
        ...

    async def update_rows(
        self,
        table: str,
        key_columns: Sequence[str],
        set_columns: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> None:
        """Set columns of many rows by key; each row is its key values, then its new values.

        Keys are distinct and none was inserted just before; a key without a row is passed over.
        """
        ...

    async def delete_rows(
        self, table: str, key_columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Delete many rows by key, none of them written just before; a missing one is passed over."""
        ...


class Database(Queries, Protocol):
    """One database of one server process.

    `fetch`, `execute` and `fetch_keys` commit by themselves, each statement on a connection of a
    small pool. Connections open when first needed; a lost one is opened again.

    Raises
    ------
    PacelineError
        `database_unavailable` (not done) when it cannot be reached, stops answering or a timeout
        or lock stands in the way; `outcome_unknown` when the connection broke after a change was
        sent and before its answer.
    DatabaseError
        When the statement itself is at fault.
    """

    @property
    def engine(self) -> Engine:
        """Kind of database, for the few statements that differ."""
        ...

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in a transaction and commit it; the answer of `work` after the commit.

        One transaction at a time per Database, in order of arrival, on one connection of its own.
        Whatever `work` raises rolls everything back and is raised again. `outcome_unknown` when
        the connection broke during the commit: see batch_outcome.py. Inside `work` only the
        given transaction may be asked, never the database itself.
        """
        ...

    async def change_schema(self, sql: str, *, lock_timeout_s: float | None = None) -> None:
        """Run one statement that changes tables while they are used, however long it takes.

        On a connection of its own and in no transaction, as CREATE INDEX CONCURRENTLY needs. It
        gives up with `database_unavailable` when a lock is not to be had within `lock_timeout_s`.
        """
        ...

    async def schema_transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Like `transaction`, for changes of tables that may take as long as their rows need."""
        ...

    async def close(self) -> None:
        """Close all connections; twice is fine."""
        ...

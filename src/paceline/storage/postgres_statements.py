"""SQL of statements over arrays of rows, with the column types of one database.

Called by postgres.py. Several writes become one statement: a WITH whose parts each write one table.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, cast

import asyncpg
import msgspec

from paceline.storage.database import DatabaseError, Row

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Verb = Literal["require", "insert", "update", "delete"]
_RANK = {"require": 0, "insert": 1, "update": 2, "delete": 3}
_PLACE = re.compile(r"\$(\d+)")

AS_LITERALS = frozenset(
    ("bigint", "integer", "smallint", "boolean", "text", "character varying", "uuid")
)
"""Column types whose arrays go as array literals: the driver asks of each value whether it is an array
itself, which takes longer than all else it does (240 ns a value against 40, measured)."""

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Write:
    """One write: rows as an array per column, keys first; or a statement that must change one row.

    `table` of a `require` is the statement's text, `otherwise` what to raise when it changes no row.
    """

    verb: Verb
    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[object, ...]
    otherwise: Exception | None = None

    @property
    def rank(self) -> int:
        """Place in the order in which writes of one table can be one statement."""
        return _RANK[self.verb]

    @property
    def shape(self) -> tuple[str, str, tuple[str, ...], tuple[str, ...], int]:
        """What its text depends on."""
        return self.verb, self.table, self.keys, self.columns, len(self.values)


class Statement(NamedTuple):
    """A statement's text, and which of its parameters are arrays that go as literals."""

    text: str
    literals: tuple[bool, ...]

    def arguments(self, values: Iterable[object]) -> list[object]:
        """The values as the driver gets them."""
        return [
            _literal(cast(Sequence[object], value)) if is_literal else value
            for value, is_literal in zip(values, self.literals, strict=True)
        ]


class Statements:
    """The texts of one database, each composed once."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, str]] = {}
        self._made: dict[object, Statement] = {}

    async def select(
        self, on: Connection, table: str, columns: Sequence[str], keys: Sequence[str]
    ) -> Statement:
        """Rows by key: parameters are one array per key column."""
        shape = (table, tuple(keys), tuple(columns))
        made = self._made.get(shape)
        if made is None:
            types = await self._column_types(on, table, {*keys, *columns})
            wanted = ", ".join(f"kept.{name}" for name in columns)
            source = _source(keys, types, 1)
            one = f"SELECT {wanted} FROM {table} AS kept WHERE {_is_given(keys)} OFFSET 0"
            text = f"SELECT {wanted} FROM {source} CROSS JOIN LATERAL ({one}) AS kept"
            made = self._made[shape] = Statement(text, _literals(keys, types))
        return made

    async def together(self, on: Connection, writes: Sequence[Write]) -> Statement:
        """All of them as one statement; a `require` that changes no row divides by zero."""
        shape = tuple(write.shape for write in writes)
        made = self._made.get(shape)
        if made is None:
            made = self._made[shape] = await self._compose(on, writes)
        return made

    async def _compose(self, on: Connection, writes: Sequence[Write]) -> Statement:
        parts: list[str] = []
        checks: list[str] = []
        literals: list[bool] = []
        place = 1
        for number, write in enumerate(writes):
            if write.verb == "require":
                body = f"{_moved(write.table, place - 1)} RETURNING 1"
                checks.append(f"1 / (SELECT count(*) FROM write_{number})")
                literals += [False] * len(write.values)
            else:
                names = (*write.keys, *write.columns)
                types = await self._column_types(on, write.table, set(names))
                body = _write(write, types, place)
                literals += _literals(names, types)
            parts.append(f"write_{number} AS ({body})")
            place += len(write.values)
        text = f"WITH {', '.join(parts)} SELECT {', '.join(checks) or '1'}"
        return Statement(text, tuple(literals))

    async def _column_types(self, on: Connection, table: str, needed: set[str]) -> dict[str, str]:
        """Types of a table's columns; read again when one is needed that may have been added since."""
        types = self._types.get(table, {})
        if not types.keys() >= needed:
            rows = await on.fetch(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
                " WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                table,
            )
            if not rows:
                raise DatabaseError(f"table {table} does not exist; run paceline db upgrade")
            types = self._types[table] = {row[0]: row[1] for row in rows}
        for name in sorted(needed - types.keys()):
            raise DatabaseError(f"table {table} has no column {name}")
        return types


async def fetch_keys(
    on: Connection,
    statements: Statements,
    table: str,
    columns: Sequence[str],
    key_columns: Sequence[str],
    keys: Iterable[Sequence[object]],
) -> list[Row]:
    """See `Queries.fetch_keys`."""
    arrays = list(zip(*keys, strict=True))
    if not arrays:
        return []
    statement = await statements.select(on, table, columns, key_columns)
    return cast(list[Row], await on.fetch(statement.text, *statement.arguments(arrays)))


def _write(write: Write, types: dict[str, str], place: int) -> str:
    table, names = write.table, (*write.keys, *write.columns)
    source = _source(names, types, place)
    if write.verb == "insert":
        columns = ", ".join(names)
        return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}"
    if write.verb == "update":
        changes = ", ".join(f"{name} = given.{name}" for name in write.columns)
        return f"UPDATE {table} AS kept SET {changes} FROM {source} WHERE {_match(write.keys)}"
    return f"DELETE FROM {table} AS kept USING {source} WHERE {_match(write.keys)}"


def _source(names: Sequence[str], types: dict[str, str], place: int) -> str:
    """Arrays from parameter `place` on as rows named `given`."""
    arrays = ", ".join(
        f"${at}::text::{types[name]}[]" if types[name] in AS_LITERALS else f"${at}::{types[name]}[]"
        for at, name in enumerate(names, place)
    )
    return f"unnest({arrays}) AS given ({', '.join(names)})"


def _literals(names: Sequence[str], types: dict[str, str]) -> tuple[bool, ...]:
    return tuple(types[name] in AS_LITERALS for name in names)


def _literal(values: Sequence[object]) -> str:
    """An array literal. JSON's is one but for the brackets, until a text needs escapes."""
    text = _json(values)
    if b"\\" not in text:
        return f"{{{text[1:-1].decode()}}}"
    return f"{{{','.join(map(_quoted, values))}}}"


def _quoted(value: object) -> str:
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return "NULL" if value is None else str(value)


def _is_given(keys: Sequence[str]) -> str:
    """For a subquery of its own for each key (OFFSET 0 keeps it one): nothing but the index serves it."""
    return " AND ".join(f"kept.{name} = given.{name}" for name in keys)


def _match(keys: Sequence[str]) -> str:
    """For a join that can go by key only.

    With plain equality a plan made while the table is empty reads the whole index for every key: it
    looks as cheap then, and stays when the table fills (measured: 600 ms instead of 2 for 256 keys
    among 20,000 rows). An order of the index is no use to this form, so that plan is not there.
    """
    return " AND ".join(f"kept.{name} = ANY (ARRAY[given.{name}])" for name in keys)


def _moved(sql: str, by: int) -> str:
    """A statement whose parameters begin `by` places later."""
    return _PLACE.sub(lambda found: f"${int(found[1]) + by}", sql)

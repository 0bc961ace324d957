"""View conditions and orders as SQL, the same on PostgreSQL and SQLite but for LIKE.

Called by the stores of servers for views, find and pull. Agrees with expressions.predicate on
every condition and interaction: values are bound, never written into the text, and typed by CAST.
"""

from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

from paceline.expressions.connectives import And, Not, Or
from paceline.expressions.predicate import constant
from paceline.expressions.properties import Kind, Property
from paceline.expressions.tree import (
    Age,
    Arithmetic,
    Compare,
    Comparison,
    Condition,
    CurrentTime,
    IsIn,
    IsLike,
    IsNull,
    Leaf,
    Literal,
    Operand,
    OrderTerm,
    Sign,
    TimeTo,
    Value,
    Wildcard,
    is_in_doubles,
    kind_of,
)

Engine: TypeAlias = OneOf["postgresql", "sqlite"]

_SQL_TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "bigint",
    Kind.NUMBER: "double precision",
    Kind.NAME: "bigint",
}
"""Names that both engines take in a CAST; SQLite goes by their affinity."""

_BYTEWISE = ' COLLATE "C"'
"""Texts are ordered by bytes in a database of any collation, as SQLite and Python do."""


@dataclass(frozen=True, slots=True)
class SqlCondition:
    """Text of a condition with `$n` parameters, and their values in the order of n."""

    text: str
    values: tuple[Value, ...]


def condition_sql(
    condition: Condition, engine: Engine, *, now: int, first: int = 1
) -> SqlCondition:
    """The condition for a WHERE clause, in parentheses where it needs them.

    Parameters
    ----------
    now
        The instant `_current_time()` stands for, in milliseconds since 1970.
    first
        Number of the first parameter, so that the caller's own may stand before.

    Raises
    ------
    ValueError
        When names are not bound to ids yet (`view_parse.bind_names`).
    """
    writer = _Writer(engine, now, first)
    return SqlCondition(writer.formula(condition), tuple(writer.values))


def order_sql(terms: tuple[OrderTerm, ...], engine: Engine, *, where: str = "") -> str:
    """The order for an ORDER BY clause or an index; where a value may be absent it says its place.

    A property that always has a value gets no NULLS clause, so that plain indexes serve the order.
    With `where`, the rows that it does not select have no value in any term.
    """
    return ", ".join(_order_term(term, engine, where) for term in terms)


def _order_term(term: OrderTerm, engine: Engine, where: str) -> str:
    column = f"CASE WHEN {where} THEN {term.property.column} END" if where else term.property.column
    bytewise = term.property.kind is Kind.TEXT and engine == "postgresql"
    direction = " DESC" if term.descending else ""
    nulls = (" NULLS FIRST" if term.nulls_first else " NULLS LAST") * term.property.is_nullable
    return f"{column}{_BYTEWISE * bytewise}{direction}{nulls}"


@dataclass(slots=True)
class _Writer:
    """Writes one condition, collecting the values of its parameters."""

    engine: Engine
    now: int
    first: int
    values: list[Value] = field(default_factory=list)

    def formula(self, condition: Condition) -> str:
        match condition:
            case And(terms):
                return self._joined(" AND ", terms) if terms else "TRUE"
            case Or(terms):
                return self._joined(" OR ", terms) if terms else "FALSE"
            case Not(term):
                return f"NOT ({self.formula(term)})"
            case _:
                return self._leaf(condition)

    def _joined(self, word: str, terms: tuple[Condition, ...]) -> str:
        return "(" + word.join(self.formula(term) for term in terms) + ")"

    def _leaf(self, leaf: Leaf) -> str:
        match leaf:
            case Compare(sign, left, right):
                return self._compared(sign, left, right)
            case IsIn(operand, values):
                column = self._operand(operand)
                return f"{column} IN ({', '.join(self._operand(value) for value in values)})"
            case IsLike(operand, pattern):
                return f"{self._operand(operand)} {self._like(pattern)}"
            case IsNull(operand):
                return f"{self._operand(operand)} IS NULL"

    def _operand(self, operand: Operand) -> str:
        match operand:
            case Property(column=column):
                return column
            case Literal(kind=kind):
                return self._parameter(constant(operand), kind)
            case CurrentTime():
                return self._now()
            case Age(since):
                return self._seconds(f"{self._now()} - {since.column}")
            case TimeTo(until):
                return self._seconds(f"{until.column} - {self._now()}")
            case Arithmetic():
                return self._arithmetic(operand)

    def _compared(self, sign: Comparison, left: Operand, right: Operand) -> str:
        if is_in_doubles(left, right):
            return f"{self._double(left)} {sign.value} {self._double(right)}"
        is_ordered = sign not in (Comparison.EQUAL, Comparison.NOT_EQUAL)
        is_text = kind_of(left) is Kind.TEXT and self.engine == "postgresql"
        bytewise = _BYTEWISE * (is_text and is_ordered)
        return f"{self._operand(left)}{bytewise} {sign.value} {self._operand(right)}"

    def _arithmetic(self, operand: Arithmetic) -> str:
        left, right = self._double(operand.left), self._double(operand.right)
        sign = operand.sign.value
        if operand.kind is Kind.INSTANT:
            return f"({left} {sign} {right} * 1000)"
        if kind_of(operand.left) is Kind.INSTANT:
            return f"(({left} - {right}) / 1000)"
        if operand.sign is Sign.DIVIDED:
            return f"({left} / NULLIF({right}, 0))"
        return f"({left} {sign} {right})"

    def _double(self, operand: Operand) -> str:
        match operand:
            case Literal():
                return self._parameter(float(constant(operand)), Kind.NUMBER)
            case CurrentTime():
                return self._parameter(float(self.now), Kind.NUMBER)
            case Property(kind=kind) if kind is not Kind.NUMBER:
                return f"CAST({operand.column} AS double precision)"
        return self._operand(operand)

    def _seconds(self, milliseconds: str) -> str:
        return f"(CAST({milliseconds} AS double precision) / 1000)"

    def _now(self) -> str:
        return self._parameter(self.now, Kind.INSTANT)

    def _like(self, pattern: tuple[str | Wildcard, ...]) -> str:
        """SQLite's LIKE ignores the case of ASCII letters, its GLOB does not."""
        if self.engine == "sqlite":
            return f"GLOB {self._parameter(_glob(pattern), Kind.TEXT)}"
        return f"LIKE {self._parameter(_like_text(pattern), Kind.TEXT)}"

    def _parameter(self, value: Value, kind: Kind) -> str:
        self.values.append(value)
        return f"CAST(${self.first + len(self.values) - 1} AS {_SQL_TYPES[kind]})"


def _like_text(pattern: tuple[str | Wildcard, ...]) -> str:
    """PostgreSQL's form; its escape character is the backslash."""
    escapes = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
    return "".join(
        part.value if isinstance(part, Wildcard) else part.translate(escapes) for part in pattern
    )


def _glob(pattern: tuple[str | Wildcard, ...]) -> str:
    """SQLite's GLOB form, whose special characters are escaped by a set of one."""
    wildcards = {Wildcard.ANY_TEXT: "*", Wildcard.ONE_CHARACTER: "?"}
    escapes = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})
    return "".join(
        wildcards[part] if isinstance(part, Wildcard) else part.translate(escapes)
        for part in pattern
    )

"""Python predicates from view conditions: true, false, or None where SQL would say unknown.

Called for views in memory, by routers and proxies. Agrees with storage.conditions on every
condition and interaction. Never reads a clock: the instant comes with each call.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from paceline.expressions.connectives import Test, evaluator
from paceline.expressions.properties import Kind, Property
from paceline.expressions.tree import (
    Age,
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
    Value,
    Wildcard,
)

R = TypeVar("R")
Read: TypeAlias = Callable[[R], Any]
"""Reads one property of an interaction, None when it has no value."""

_OPERATIONS: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.LESS: operator.lt,
    Comparison.LESS_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_EQUAL: operator.ge,
}


def predicate(condition: Condition, accessor: Callable[[str], Read[R]]) -> Test[R, int]:
    """A function of an interaction and the instant in milliseconds since 1970.

    Parameters
    ----------
    accessor
        Makes the reader of a column: `operator.itemgetter` for mappings, `attrgetter` for structs.

    Raises
    ------
    ValueError
        When names are not bound to ids yet (`view_parse.bind_names`).
    """

    def leaf(found: Leaf) -> Test[R, int]:
        return _leaf(found, accessor)

    return evaluator(condition, leaf)


def constant(literal: Literal) -> Value:
    """The value of a literal, which must not be a name that is still to be bound."""
    if literal.kind is Kind.NAME and isinstance(literal.value, str):
        raise ValueError(f"name '{literal.value}' is not bound to an id")
    return literal.value


def _leaf(leaf: Leaf, accessor: Callable[[str], Read[R]]) -> Test[R, int]:
    match leaf:
        case Compare(sign, Property(column=column), Literal() as right):
            return _with_constant(_OPERATIONS[sign], accessor(column), constant(right))
        case Compare(sign, left, right):
            return _compared(_OPERATIONS[sign], _value(left, accessor), _value(right, accessor))
        case IsIn(operand, values):
            return _is_in(_value(operand, accessor), frozenset(constant(v) for v in values))
        case IsLike(operand, pattern):
            return _is_like(_value(operand, accessor), like_expression(pattern))
        case IsNull(operand):
            return _is_null(_value(operand, accessor))


def _with_constant(
    operation: Callable[[Any, Any], bool], read: Read[R], value: Value
) -> Test[R, int]:
    def test(row: R, _now: int) -> bool | None:
        found = read(row)
        return None if found is None else operation(found, value)

    return test


def _compared(
    operation: Callable[[Any, Any], bool],
    left: Callable[[R, int], Any],
    right: Callable[[R, int], Any],
) -> Test[R, int]:
    def test(row: R, now: int) -> bool | None:
        first = left(row, now)
        second = right(row, now)
        return None if first is None or second is None else operation(first, second)

    return test


def _is_in(read: Callable[[R, int], Any], values: frozenset[Value]) -> Test[R, int]:
    def test(row: R, now: int) -> bool | None:
        found = read(row, now)
        return None if found is None else found in values

    return test


def _is_like(read: Callable[[R, int], Any], pattern: re.Pattern[str]) -> Test[R, int]:
    def test(row: R, now: int) -> bool | None:
        found = read(row, now)
        return None if found is None else pattern.fullmatch(found) is not None

    return test


def _is_null(read: Callable[[R, int], Any]) -> Test[R, int]:
    def test(row: R, now: int) -> bool | None:
        return read(row, now) is None

    return test


def _value(operand: Operand, accessor: Callable[[str], Read[R]]) -> Callable[[R, int], Any]:
    match operand:
        case Property(column=column):
            read = accessor(column)
            return lambda row, _now: read(row)
        case Literal():
            value = constant(operand)
            return lambda _row, _now: value
        case CurrentTime():
            return lambda _row, now: now
        case Age(since):
            return _age(accessor(since.column))


def _age(read: Read[R]) -> Callable[[R, int], float | None]:
    def age(row: R, now: int) -> float | None:
        since = read(row)
        return None if since is None else (now - since) / 1000.0

    return age


def like_expression(pattern: tuple[str | Wildcard, ...]) -> re.Pattern[str]:
    """A regular expression for a LIKE pattern, in time linear in the text for each wildcard.

    What lies between two `%` is matched atomically: its first match leaves the most to the rest,
    so trying later ones, which would cost exponential time, cannot help.
    """
    pieces: list[list[str]] = [[]]
    for part in pattern:
        if part is Wildcard.ANY_TEXT:
            pieces.append([])
        else:
            pieces[-1].append("." if isinstance(part, Wildcard) else re.escape(part))
    first, *others = ("".join(piece) for piece in pieces)
    if not others:
        return re.compile(first, re.DOTALL)
    *inner, last = others
    atoms = "".join(f"(?>.*?{piece})" for piece in inner if piece)
    return re.compile(f"{first}{atoms}.*{last}", re.DOTALL)

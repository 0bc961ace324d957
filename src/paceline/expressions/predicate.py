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
    Sign,
    TimeTo,
    Value,
    Wildcard,
    is_in_doubles,
    kind_of,
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
        case Compare(sign, Property(column=column, kind=kind), Literal() as right) if (
            kind is right.kind
        ):
            return _with_constant(_OPERATIONS[sign], accessor(column), constant(right))
        case Compare(sign, left, right):
            value = _number if is_in_doubles(left, right) else _value
            return _compared(_OPERATIONS[sign], value(left, accessor), value(right, accessor))
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
            return _seconds(accessor(since.column), -1)
        case TimeTo(until):
            return _seconds(accessor(until.column), 1)
        case Arithmetic():
            return _combined(operand, accessor)


def _number(operand: Operand, accessor: Callable[[str], Read[R]]) -> Callable[[R, int], Any]:
    """The operand's value in double precision, as the database computes."""
    read = _value(operand, accessor)

    def number(row: R, now: int) -> float | None:
        found = read(row, now)
        return None if found is None else float(found)

    return number


def _seconds(read: Read[R], sign: int) -> Callable[[R, int], float | None]:
    def seconds(row: R, now: int) -> float | None:
        instant = read(row)
        return None if instant is None else sign * (instant - now) / 1000.0

    return seconds


def _combined(
    operand: Arithmetic, accessor: Callable[[str], Read[R]]
) -> Callable[[R, int], float | None]:
    left, right = _number(operand.left, accessor), _number(operand.right, accessor)
    combine = _arithmetic(operand)

    def combined(row: R, now: int) -> float | None:
        first = left(row, now)
        second = right(row, now)
        return None if first is None or second is None else combine(first, second)

    return combined


def _arithmetic(operand: Arithmetic) -> Callable[[float, float], float | None]:
    match operand.sign, operand.kind, kind_of(operand.left):
        case Sign.PLUS, Kind.INSTANT, _:
            return lambda instant, seconds: instant + seconds * 1000
        case Sign.MINUS, Kind.INSTANT, _:
            return lambda instant, seconds: instant - seconds * 1000
        case Sign.MINUS, Kind.NUMBER, Kind.INSTANT:
            return lambda later, earlier: (later - earlier) / 1000
        case Sign.DIVIDED, _, _:
            return lambda part, whole: part / whole if whole else None
    return _SIGNS[operand.sign]


_SIGNS: dict[Sign, Callable[[float, float], float]] = {
    Sign.PLUS: operator.add,
    Sign.MINUS: operator.sub,
    Sign.TIMES: operator.mul,
}


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

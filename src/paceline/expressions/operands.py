"""How what a condition writes becomes typed operands: constants, sums, comparisons.

Called by view_parse's callbacks. A constant has the kind of the operand beside it; every mistake
is raised at the token that shows it.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias, TypeGuard

from lark import Token

from paceline.expressions.grammar import Mistake
from paceline.expressions.properties import Kind, Property
from paceline.expressions.tree import (
    Arithmetic,
    Compare,
    Comparison,
    Literal,
    Operand,
    Sign,
    Wildcard,
    kind_of,
)

INTEGER_LIMIT: Final = 2**63
"""Whole numbers are 64 bits wide in every database."""

MAX_TERMS: Final = 8
"""Operands of one sum: with these, `SMALLEST` and 64 bits nothing overflows or underflows a double,
which PostgreSQL would refuse (each operand adds at most 22 decades, each difference 16)."""

SMALLEST: Final = 1e-18
"""Least number other than 0 in a sum; see `MAX_TERMS`."""

_UNORDERED: Final = frozenset({Kind.BOOLEAN, Kind.NAME})
"""Kinds of which one is not less than another."""

_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.NUMBER})


@dataclass(frozen=True, slots=True)
class Untyped:
    """A constant as written; the operand beside it decides its kind."""

    token: Token
    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Typed:
    """An operand and where it begins; `terms` counts the operands of a sum."""

    token: Token
    operand: Operand
    terms: int = 1


Parsed: TypeAlias = Typed | Untyped


def typed(parsed: Parsed) -> Operand:
    """The operand, where a constant alone makes no sense."""
    if isinstance(parsed, Untyped):
        raise Mistake(parsed.token, "a constant stands where a property belongs")
    return parsed.operand


def compared(operator: Comparison, left: Parsed, right: Parsed, sign: Token) -> Compare:
    """Two operands compared, when their kinds go together."""
    if isinstance(left, Untyped):
        second = typed(right)
        first: Operand = literal(left, second)
    else:
        first = left.operand
        second = literal(right, first) if isinstance(right, Untyped) else right.operand
    _check_comparable(operator, first, second, sign)
    return Compare(operator, first, second)


def one_of(parsed: Parsed, beside: Operand) -> Literal:
    """A constant of an IN list."""
    if isinstance(parsed, Untyped):
        return literal(parsed, beside)
    if not isinstance(parsed.operand, Literal):
        raise Mistake(parsed.token, "IN takes constants; compare with = and OR instead")
    if parsed.operand.kind is not kind_of(beside):
        kind = parsed.operand.kind.value
        raise Mistake(parsed.token, f"{kind_of(beside).value} expected, not an {kind}")
    return parsed.operand


def literal(written: Untyped, beside: Operand) -> Literal:
    """The constant in the kind of the operand beside it."""
    kind = kind_of(beside)
    value = _converted(written.value, kind)
    if value is None:
        how = "; write it like _timestamp('2026-01-31T08:00:00Z')" * (kind is Kind.INSTANT)
        raise Mistake(written.token, f"{kind.value} expected, not {written.token}{how}")
    return Literal(value, kind)


def negated(parsed: Parsed, minus: Token) -> Parsed:
    """A number with its sign turned."""
    if isinstance(parsed, Untyped) and _is_number(parsed.value):
        token = Token.new_borrow_pos(minus.type, f"-{parsed.token}", minus)
        return Untyped(token, -parsed.value)
    return combined(Untyped(minus, 0), parsed, minus)


def combined(left: Parsed, right: Parsed, sign: Token) -> Typed:
    """The sum, difference, product or quotient of two operands."""
    first, second = _term(left), _term(right)
    terms = first.terms + second.terms
    if terms > MAX_TERMS:
        raise Mistake(sign, f"more than {MAX_TERMS} numbers are combined; write it shorter")
    return Typed(first.token, _arithmetic(first.operand, second.operand, sign), terms)


def _term(parsed: Parsed) -> Typed:
    if isinstance(parsed, Typed):
        return parsed
    if not _is_number(parsed.value):
        raise Mistake(parsed.token, f"number or instant expected, not {parsed.token}")
    value = float(parsed.value)
    if value and not SMALLEST <= abs(value) < INTEGER_LIMIT:
        raise Mistake(parsed.token, f"{parsed.token} is too large or too small to reckon with")
    return Typed(parsed.token, Literal(value, Kind.NUMBER))


def _arithmetic(left: Operand, right: Operand, written: Token) -> Arithmetic:
    sign = Sign(str(written))
    first, second = kind_of(left), kind_of(right)
    if first in _NUMBERS and second in _NUMBERS:
        return Arithmetic(sign, left, right, Kind.NUMBER)
    if first is Kind.INSTANT and second is Kind.INSTANT and sign is Sign.MINUS:
        return Arithmetic(sign, left, right, Kind.NUMBER)
    if first is Kind.INSTANT and second in _NUMBERS and sign in (Sign.PLUS, Sign.MINUS):
        return Arithmetic(sign, left, right, Kind.INSTANT)
    if first in _NUMBERS and second is Kind.INSTANT and sign is Sign.PLUS:
        return Arithmetic(sign, right, left, Kind.INSTANT)
    raise Mistake(written, f"{first.value} {sign.value} {second.value} has no meaning")


def pattern(token: Token) -> tuple[str | Wildcard, ...]:
    """Parts of a LIKE pattern; a backslash takes the next character as it is."""
    parts: list[str | Wildcard] = []
    text = ""
    characters = iter(unquoted(token))
    for character in characters:
        if character == "\\":
            text += _escaped(next(characters, None), token)
        elif character in "%_":
            parts.extend([text] if text else [])
            parts.append(Wildcard(character))
            text = ""
        else:
            text += character
    return tuple([*parts, text] if text else parts)


def unquoted(token: Token) -> str:
    """A text without its quotes."""
    return token[1:-1].replace("''", "'")


def _escaped(character: str | None, token: Token) -> str:
    if character is None:
        raise Mistake(token, "the pattern ends in the middle of an escape; write \\\\ for \\")
    return character


def _check_comparable(operator: Comparison, left: Operand, right: Operand, sign: Token) -> None:
    kind, other = kind_of(left), kind_of(right)
    if kind is not other and not {kind, other} <= _NUMBERS:
        raise Mistake(sign, f"{kind.value} does not compare with {other.value}")
    if kind in _UNORDERED and operator not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
        raise Mistake(sign, f"{kind.value} compares only with = and !=")
    if kind is Kind.NAME and isinstance(left, Property) and isinstance(right, Property):
        raise Mistake(sign, f"{left.name} compares only with a name in quotes")


def _converted(value: str | int | float | bool, kind: Kind) -> str | int | float | bool | None:
    """The value as this kind has it, None when it has none; documented truth values are 0 and 1."""
    match kind:
        case Kind.TEXT | Kind.NAME:
            return value if isinstance(value, str) else None
        case Kind.BOOLEAN:
            return bool(value) if value in (0, 1) and not isinstance(value, float) else None
        case Kind.INTEGER:
            return _whole(value)
        case Kind.NUMBER:
            return float(value) if _is_number(value) else None
        case Kind.INSTANT:
            return None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: str | int | float | bool) -> int | None:
    if isinstance(value, float) and value.is_integer() and abs(value) < INTEGER_LIMIT:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None

"""Texts of view conditions and orders to trees, with every mistake named by its place.

Called by the interaction server (views, find), the checks and the Configuration Server. Knows
properties and kinds; never whether a named queue or agent exists: `bind_names` asks its caller.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, cast

from lark import Lark, Token, Transformer, v_args

from paceline.errors.failure import PacelineError
from paceline.expressions import grammar
from paceline.expressions.connectives import And, Not, Or, map_leaves
from paceline.expressions.grammar import Mistake
from paceline.expressions.properties import PROPERTIES, Kind, Property, Referred, property_named
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
    OrderTerm,
    Wildcard,
)
from paceline.model.instant import to_millis

MAX_ORDER_TERMS: Final = 8
"""Properties in one order; chosen: an index over more columns helps no view."""

_INTEGER_LIMIT: Final = 2**63
"""Whole numbers are 64 bits wide in every database."""

_FUNCTIONS: Final = ("_timestamp", "_current_time", "_age", "_age_in_queue")

_UNORDERED: Final = frozenset({Kind.BOOLEAN, Kind.NAME})
"""Kinds of which one is not less than another."""


def parse_condition(text: str, *, field: str = "condition") -> Condition:
    """The tree of a condition; an empty text is true for every interaction.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return And(())
    condition = cast(
        Condition, grammar.parse(_view_grammar(), text, start="condition", field=field)
    )
    grammar.check_depth(condition, field)
    return condition


def parse_order(text: str, *, field: str = "order") -> tuple[OrderTerm, ...]:
    """The terms of an order, such as `Priority DESC, ReceivedAt`; an empty text has none.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return ()
    parsed = grammar.parse(_view_grammar(), text, start="order", field=field)
    return cast("tuple[OrderTerm, ...]", parsed)


def bind_names(condition: Condition, id_of: Callable[[Referred, str], int | None]) -> Condition:
    """The condition with the names of queues, agents, places and workbins replaced by their ids.

    Raises
    ------
    PacelineError
        `invalid_attribute` when `id_of` knows no object of a name.
    """

    def bound(leaf: Leaf) -> Leaf:
        match leaf:
            case Compare(operator, Property() as left, Literal(kind=Kind.NAME) as right):
                return Compare(operator, left, _bound(left, right, id_of))
            case Compare(operator, Literal(kind=Kind.NAME) as left, Property() as right):
                return Compare(operator, _bound(right, left, id_of), right)
            case IsIn(Property(kind=Kind.NAME) as operand, values):
                return IsIn(operand, tuple(_bound(operand, value, id_of) for value in values))
        return leaf

    return map_leaves(condition, bound)


def _bound(
    place: Property, literal: Literal, id_of: Callable[[Referred, str], int | None]
) -> Literal:
    assert place.refers_to is not None  # every property of kind NAME says whose name it is
    found = id_of(place.refers_to, str(literal.value))
    if found is None:
        raise PacelineError(
            "invalid_attribute",
            f"condition: {place.refers_to.replace('_', ' ')} '{literal.value}' does not exist; "
            "create it or name another",
            field="condition",
        )
    return Literal(found, Kind.NAME)


class _Untyped:
    """A constant as written; the operand beside it decides its kind."""

    def __init__(self, token: Token, value: str | int | float | bool) -> None:
        self.token = token
        self.value = value


_Parsed = tuple[Token, Operand] | _Untyped


@v_args(inline=True)
class _Callbacks(Transformer[Token, object]):
    """Builds the tree bottom-up while Lark parses."""

    def condition(self, found: Condition) -> Condition:
        return found

    def disjunction(self, *terms: Condition) -> Condition:
        return Or(terms)

    def conjunction(self, *terms: Condition) -> Condition:
        return And(terms)

    def negated(self, _not: Token, term: Condition) -> Condition:
        return Not(term)

    def compare(self, left: _Parsed, sign: Token, right: _Parsed) -> Condition:
        operator = Comparison("!=" if sign == "<>" else sign)
        return _compared(operator, left, right, sign)

    def is_null(
        self, operand: _Parsed, _is: Token, negated: Token | None, _null: Token
    ) -> Condition:
        return _unless(negated, IsNull(_typed(operand)))

    def is_in(
        self, operand: _Parsed, negated: Token | None, _in: Token, *values: _Untyped
    ) -> Condition:
        known = _typed(operand)
        return _unless(negated, IsIn(known, tuple(_literal(value, known) for value in values)))

    def between(
        self, operand: _Parsed, negated: Token | None, sign: Token, low: _Parsed, high: _Parsed
    ) -> Condition:
        above = _compared(Comparison.GREATER_EQUAL, operand, low, sign)
        below = _compared(Comparison.LESS_EQUAL, operand, high, sign)
        return _unless(negated, And((above, below)))

    def like(
        self, operand: _Parsed, negated: Token | None, sign: Token, pattern: Token
    ) -> Condition:
        known = _typed(operand)
        if _kind(known) is not Kind.TEXT:
            raise Mistake(sign, f"LIKE takes a text, not a {_kind(known).value}")
        return _unless(negated, IsLike(known, _pattern(pattern)))

    def property(self, name: Token) -> _Parsed:
        return name, _property(name)

    def function(self, name: Token, argument: Token | None) -> _Parsed:
        return name, _call(name, argument)

    def string(self, token: Token) -> _Untyped:
        return _Untyped(token, _unquoted(token))

    def integer(self, token: Token) -> _Untyped:
        value = int(token)
        if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
            raise Mistake(token, "whole numbers have at most 64 bits")
        return _Untyped(token, value)

    def float(self, token: Token) -> _Untyped:
        value = float(token)
        if value in (float("inf"), float("-inf")):
            raise Mistake(token, f"{token} is too large for a number")
        return _Untyped(token, value)

    def true(self, token: Token) -> _Untyped:
        return _Untyped(token, True)

    def false(self, token: Token) -> _Untyped:
        return _Untyped(token, False)

    def null(self, token: Token) -> _Untyped:
        raise Mistake(token, "nothing compares with NULL; write IS NULL or IS NOT NULL")

    def order_term(self, name: Token, direction: Token | None, nulls: Token | None) -> OrderTerm:
        found = _property(name)
        if found.kind is Kind.NAME:
            raise Mistake(name, f"{found.name} gives no order; order by another property")
        return OrderTerm(
            found,
            descending=direction is not None and direction.type == "DESC",
            nulls_first=nulls is not None and nulls.type == "NULLS_FIRST",
        )

    def order(self, *terms: OrderTerm) -> tuple[OrderTerm, ...]:
        if len(terms) > MAX_ORDER_TERMS:
            place = Token("NAME", "", line=1, column=1)
            raise Mistake(place, f"{len(terms)} terms; allowed are {MAX_ORDER_TERMS}")
        return terms


@cache
def _view_grammar() -> Lark:
    return grammar.load("view.lark", _Callbacks(), start=["condition", "order"])


def _unless(negated: Token | None, condition: Condition) -> Condition:
    return condition if negated is None else Not(condition)


def _property(name: Token) -> Property:
    found = property_named(name)
    if found is None:
        near = grammar.nearest(name, [known.name for known in PROPERTIES])
        raise Mistake(name, f"there is no property {name}{near}")
    return found


def _call(name: Token, argument: Token | None) -> Operand:
    function = name.lower()
    if function not in _FUNCTIONS:
        near = grammar.nearest(name, list(_FUNCTIONS))
        raise Mistake(name, f"there is no function {name}{near}")
    if (argument is not None) != (function == "_timestamp"):
        takes = "an instant in quotes" if function == "_timestamp" else "nothing"
        raise Mistake(name, f"{function} takes {takes} between its parentheses")
    if argument is not None:
        return _timestamp(argument)
    if function == "_current_time":
        return CurrentTime()
    return Age(_known("received_at" if function == "_age" else "queued_at"))


def _known(column: str) -> Property:
    found = property_named(column)
    assert found is not None  # the table of properties names both instants
    return found


def _timestamp(token: Token) -> Literal:
    """The documented forms `yyyy-mm-ddThh:mi:ssZ` and `yyyy-mm-dd hh:mi:ss`, both in UTC."""
    written = _unquoted(token)
    has_offset = written.endswith(("Z", "z")) or "+" in written or "-" in written[10:]
    try:
        instant = to_millis(written if has_offset else f"{written}Z", field="timestamp")
    except (PacelineError, OverflowError):
        raise Mistake(
            token, f"{token} is not an instant; write it like '2026-01-31T08:00:00Z'"
        ) from None
    return Literal(instant, Kind.INSTANT)


def _unquoted(token: Token) -> str:
    return token[1:-1].replace("''", "'")


def _pattern(token: Token) -> tuple[str | Wildcard, ...]:
    """Parts of a LIKE pattern; a backslash takes the next character as it is."""
    parts: list[str | Wildcard] = []
    text = ""
    characters = iter(_unquoted(token))
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


def _escaped(character: str | None, token: Token) -> str:
    if character is None:
        raise Mistake(token, "the pattern ends in the middle of an escape; write \\\\ for \\")
    return character


def _kind(operand: Operand) -> Kind:
    match operand:
        case Property(kind=kind) | Literal(kind=kind):
            return kind
        case CurrentTime():
            return Kind.INSTANT
        case Age():
            return Kind.SECONDS


def _typed(parsed: _Parsed) -> Operand:
    if isinstance(parsed, _Untyped):
        raise Mistake(parsed.token, "a constant stands where a property belongs")
    return parsed[1]


def _compared(operator: Comparison, left: _Parsed, right: _Parsed, sign: Token) -> Compare:
    if isinstance(left, _Untyped):
        second = _typed(right)
        first: Operand = _literal(left, second)
    else:
        first = left[1]
        second = _literal(right, first) if isinstance(right, _Untyped) else right[1]
    _check_comparable(operator, first, second, sign)
    return Compare(operator, first, second)


def _check_comparable(operator: Comparison, left: Operand, right: Operand, sign: Token) -> None:
    kind = _kind(left)
    if kind is not _kind(right):
        raise Mistake(sign, f"{kind.value} does not compare with {_kind(right).value}")
    if kind in _UNORDERED and operator not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
        raise Mistake(sign, f"{kind.value} compares only with = and !=")
    if kind is Kind.NAME and isinstance(left, Property) and isinstance(right, Property):
        raise Mistake(sign, f"{left.name} compares only with a name in quotes")


def _literal(written: _Untyped, beside: Operand) -> Literal:
    """The constant in the kind of the operand beside it."""
    kind = _kind(beside)
    value = _converted(written.value, kind)
    if value is None:
        raise Mistake(written.token, f"{kind.value} expected, not {written.token}")
    return Literal(value, kind)


def _converted(value: str | int | float | bool, kind: Kind) -> str | int | float | bool | None:
    """The value as this kind has it, None when it has none; documented truth values are 0 and 1."""
    match kind:
        case Kind.TEXT | Kind.NAME:
            return value if isinstance(value, str) else None
        case Kind.BOOLEAN:
            return bool(value) if value in (0, 1) and not isinstance(value, float) else None
        case Kind.INTEGER:
            return _whole(value)
        case Kind.SECONDS:
            return float(value) if _is_number(value) else None
        case Kind.INSTANT:
            return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: str | int | float | bool) -> int | None:
    if isinstance(value, float) and value.is_integer() and abs(value) < _INTEGER_LIMIT:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None

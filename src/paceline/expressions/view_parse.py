"""Texts of view conditions and orders to trees, with every mistake named by its place.

Called by the interaction server (views, find), the checks and the Configuration Server. Knows
properties and kinds; never whether a named queue or agent exists: `bind_names` asks its caller.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final, cast

from lark import Lark, Token, Transformer, v_args

from paceline.errors.failure import PacelineError
from paceline.expressions import grammar
from paceline.expressions.connectives import And, Not, Or, map_leaves
from paceline.expressions.grammar import Mistake
from paceline.expressions.operands import (
    INTEGER_LIMIT,
    Parsed,
    Typed,
    Untyped,
    combined,
    compared,
    negated,
    one_of,
    pattern,
    typed,
    unquoted,
)
from paceline.expressions.properties import (
    SYSTEM_PROPERTIES,
    Kind,
    KnownProperties,
    Property,
    Referred,
    property_named,
)
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
    TimeTo,
    kind_of,
)
from paceline.model.instant import to_millis

MAX_ORDER_TERMS: Final = 8
"""Properties in one order; chosen: an index over more columns helps no view."""

CACHED_TEXTS: Final = 4096
"""Texts kept with their trees: every view's are read again with each change of the configuration,
and searches repeat; 1 ms each (chosen: some hundred views)."""

_FUNCTIONS: Final = {
    "_timestamp": "an instant in quotes",
    "_current_time": "nothing",
    "_age": "nothing",
    "_age_in_queue": "nothing",
    "_time_to": "the name of an instant",
}
"""Each with what stands between its parentheses."""

_HINTS: Final = {
    "==": "write one =",
    "&": "write AND",
    "|": "write OR",
    "!": "write NOT or !=",
    ";": "remove it: a view has one condition",
    "\u2018": "write the straight quote '",
    "\u2019": "write the straight quote '",
    "\u201c": "write the straight quote '",
}
"""What people write instead, from other languages and word processors."""


def parse_condition(
    text: str, *, field: str = "condition", known: KnownProperties = SYSTEM_PROPERTIES
) -> Condition:
    """The tree of a condition; an empty text is true for every interaction.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return And(())
    condition = cast(Condition, _parsed(text, "condition", field, known))
    grammar.check_depth(condition, field)
    return condition


def parse_order(
    text: str, *, field: str = "order", known: KnownProperties = SYSTEM_PROPERTIES
) -> tuple[OrderTerm, ...]:
    """The terms of an order, such as `Priority DESC, ReceivedAt`; an empty text has none.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return ()
    return cast("tuple[OrderTerm, ...]", _parsed(text, "order", field, known))


def parse_segment(
    text: str, *, field: str = "segment_by", known: KnownProperties = SYSTEM_PROPERTIES
) -> Property | None:
    """The property that segments a view; None for an empty text. Instants are documented as unfit.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return None
    found, name = cast("tuple[Property, Token]", _parsed(text, "segment", field, known))
    if found.kind is Kind.INSTANT:
        message = f"{found.name} is an instant, which cannot segment; name another property"
        grammar.refuse(field, name.line or 1, name.column or 1, message, text)
    return found


def bind_names(
    condition: Condition,
    id_of: Callable[[Referred, str], int | None],
    *,
    field: str = "condition",
) -> Condition:
    """The condition with the names of queues, agents, places and workbins replaced by their ids.

    Raises
    ------
    PacelineError
        `invalid_attribute` when `id_of` knows no object of a name.
    """

    def bound(place: Property, literal: Literal) -> Literal:
        assert place.refers_to is not None  # every property of kind NAME says whose name it is
        found = id_of(place.refers_to, str(literal.value))
        if found is None:
            what = f"{place.refers_to.replace('_', ' ')} '{literal.value}' does not exist"
            message = f"{field}: {what}; create it or name another"
            raise PacelineError("invalid_attribute", message, field=field)
        return Literal(found, Kind.NAME)

    def with_ids(leaf: Leaf) -> Leaf:
        match leaf:
            case Compare(operator, Property() as left, Literal(kind=Kind.NAME) as right):
                return Compare(operator, left, bound(left, right))
            case Compare(operator, Literal(kind=Kind.NAME) as left, Property() as right):
                return Compare(operator, bound(right, left), right)
            case IsIn(Property(kind=Kind.NAME) as operand, values):
                return IsIn(operand, tuple(bound(operand, value) for value in values))
        return leaf

    return map_leaves(condition, with_ids)


@v_args(inline=True)
class _Callbacks(Transformer[Token, object]):
    """Builds the tree bottom-up while Lark parses; `known` is set for each text."""

    known: KnownProperties = SYSTEM_PROPERTIES

    def condition(self, found: Condition) -> Condition:
        return found

    def disjunction(self, *terms: Condition) -> Condition:
        return Or(terms)

    def conjunction(self, *terms: Condition) -> Condition:
        return And(terms)

    def negated(self, _not: Token, term: Condition) -> Condition:
        return Not(term)

    def compare(self, left: Parsed, sign: Token, right: Parsed) -> Condition:
        operator = Comparison("!=" if sign == "<>" else sign)
        return compared(operator, left, right, sign)

    def is_null(
        self, operand: Parsed, _is: Token, negated: Token | None, _null: Token
    ) -> Condition:
        return _unless(negated, IsNull(typed(operand)))

    def is_in(
        self, operand: Parsed, negated: Token | None, _in: Token, *values: Parsed
    ) -> Condition:
        known = typed(operand)
        return _unless(negated, IsIn(known, tuple(one_of(value, known) for value in values)))

    def between(
        self, operand: Parsed, negated: Token | None, sign: Token, low: Parsed, high: Parsed
    ) -> Condition:
        above = compared(Comparison.GREATER_EQUAL, operand, low, sign)
        below = compared(Comparison.LESS_EQUAL, operand, high, sign)
        return _unless(negated, And((above, below)))

    def like(
        self, operand: Parsed, negated: Token | None, sign: Token, written: Token
    ) -> Condition:
        known = typed(operand)
        if kind_of(known) is not Kind.TEXT:
            raise Mistake(sign, f"LIKE takes a text, not a {kind_of(known).value}")
        return _unless(negated, IsLike(known, pattern(written)))

    def arithmetic(self, left: Parsed, sign: Token, right: Parsed) -> Parsed:
        return combined(left, right, sign)

    def minus(self, sign: Token, operand: Parsed) -> Parsed:
        return negated(operand, sign)

    def plus(self, sign: Token, operand: Parsed) -> Parsed:
        if isinstance(operand, Untyped) and isinstance(operand.value, str | bool):
            raise Mistake(sign, f"number expected behind {sign}, not {operand.token}")
        return operand

    def property(self, name: Token) -> Parsed:
        return Typed(name, _property(name, self.known))

    def function(self, name: Token, argument: Token | None) -> Parsed:
        return Typed(name, _call(name, argument, self.known))

    def string(self, token: Token) -> Untyped:
        return Untyped(token, unquoted(token))

    def integer(self, token: Token) -> Untyped:
        value = int(token)
        if value >= INTEGER_LIMIT:
            raise Mistake(token, "whole numbers have at most 64 bits")
        return Untyped(token, value)

    def float(self, token: Token) -> Untyped:
        value = float(token)
        if value == float("inf"):
            raise Mistake(token, f"{token} is too large for a number")
        return Untyped(token, value)

    def true(self, token: Token) -> Untyped:
        return Untyped(token, True)

    def false(self, token: Token) -> Untyped:
        return Untyped(token, False)

    def null(self, token: Token) -> Untyped:
        raise Mistake(token, "nothing compares with NULL; write IS NULL or IS NOT NULL")

    def segment(self, name: Token) -> tuple[Property, Token]:
        return _property(name, self.known), name

    def order_term(self, name: Token, direction: Token | None, nulls: Token | None) -> OrderTerm:
        found = _property(name, self.known)
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
def _view_grammar() -> tuple[Lark, _Callbacks]:
    callbacks = _Callbacks()
    return grammar.load("view.lark", callbacks, start=["condition", "order", "segment"]), callbacks


@lru_cache(maxsize=CACHED_TEXTS)
def _parsed(text: str, start: str, field: str, known: KnownProperties) -> object:
    lark, callbacks = _view_grammar()
    callbacks.known = known  # parsing never waits, so no other text comes between
    return grammar.parse(lark, text, start=start, field=field, hints=_HINTS)


def _unless(negated: Token | None, condition: Condition) -> Condition:
    return condition if negated is None else Not(condition)


def _property(name: Token, known: KnownProperties) -> Property:
    written = name.strip('"')
    found = known.named(written)
    if found is None and written in known.coming:
        raise Mistake(name, f"{written} is being added to the database; it can be used soon")
    if found is None:
        near = grammar.nearest(written, known.names)
        quotes = "; texts stand in single quotes: '…'" if name.startswith('"') else ""
        raise Mistake(name, f"there is no property {written}{near}{quotes}")
    return found


def _call(name: Token, argument: Token | None, known: KnownProperties) -> Operand:
    function = name.lower()
    if function not in _FUNCTIONS:
        near = grammar.nearest(name, list(_FUNCTIONS))
        raise Mistake(name, f"there is no function {name}{near}")
    given = "nothing" if argument is None else argument.type
    wanted = {"_timestamp": ("STRING",), "_time_to": ("NAME", "QUOTED")}.get(function, ("nothing",))
    if given not in wanted:
        raise Mistake(name, f"{function} takes {_FUNCTIONS[function]} between its parentheses")
    if argument is None:
        return _without_argument(function)
    return _timestamp(argument) if function == "_timestamp" else _time_to(argument, known)


def _without_argument(function: str) -> Operand:
    if function == "_current_time":
        return CurrentTime()
    since = property_named("received_at" if function == "_age" else "queued_at")
    assert since is not None  # the table of properties names both instants
    return Age(since)


def _time_to(name: Token, known: KnownProperties) -> TimeTo:
    found = _property(name, known)
    if found.kind is not Kind.INSTANT:
        raise Mistake(name, f"{found.name} is a {found.kind.value}; _time_to takes an instant")
    return TimeTo(found)


def _timestamp(token: Token) -> Literal:
    """The documented forms `yyyy-mm-ddThh:mi:ssZ` and `yyyy-mm-dd hh:mi:ss`, both in UTC."""
    written = unquoted(token)
    has_offset = written.endswith(("Z", "z")) or "+" in written or "-" in written[10:]
    try:
        instant = to_millis(written if has_offset else f"{written}Z", field="timestamp")
    except (PacelineError, OverflowError):
        raise Mistake(
            token, f"{token} is not an instant; write it like '2026-01-31T08:00:00Z'"
        ) from None
    return Literal(instant, Kind.INSTANT)

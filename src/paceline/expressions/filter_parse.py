"""Filters of statistics (`PairExists("Proactive","1") & MediaType=chat`) and masks of actions.

Called by the Stat Server and the checks. A filter looks at one event's attributes and user data;
what the event does not carry makes a comparison false, so that `~` of it is true.
"""

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, cast

from lark import Lark, Token, Transformer, v_args

from paceline.errors.failure import PacelineError
from paceline.expressions import grammar
from paceline.expressions.connectives import And, Formula, Not, Or, Test, evaluator, leaves
from paceline.expressions.predicate import like_expression
from paceline.expressions.tree import Comparison, Wildcard

Attributes: TypeAlias = Mapping[str, object]
Pattern: TypeAlias = tuple[str | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class PairExists:
    """The user data has this key with a value that fits."""

    key: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class AttributeIs:
    """An attribute of the event compares so with the value; `=` and `!=` take wildcards."""

    attribute: str
    operator: Comparison
    pattern: Pattern


Filter: TypeAlias = Formula[PairExists | AttributeIs]


def parse_filter(text: str, *, field: str = "filter") -> Filter:
    """The tree of a filter; an empty text lets every event pass.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    if not text.strip():
        return And(())
    found = cast(Filter, grammar.parse(_filter_grammar(), text, start="start", field=field))
    grammar.check_depth(found, field)
    return found


def filter_predicate(found: Filter) -> Callable[[Attributes, Mapping[str, object]], bool]:
    """Whether an event passes, given its attributes and its user data's filter keys."""
    test = evaluator(found, _leaf)
    return lambda attributes, user_data: test(attributes, user_data) is True


def filter_keys(found: Filter) -> frozenset[str]:
    """User data keys that the filter reads, which its events must carry."""
    return frozenset(leaf.key for leaf in leaves(found) if isinstance(leaf, PairExists))


def parse_mask(text: str, known: Collection[str], *, field: str = "MainMask") -> frozenset[str]:
    """The actions of a mask such as `*,~LoggedOut`: named ones (`*`: all), less those with `~`.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming an action that is not among the known ones.
    """
    named: set[str] = set()
    excluded: set[str] = set()
    for part in text.split(","):
        action = part.strip()
        if action == "*":
            named.update(known)
        elif action.startswith("~"):
            excluded.add(_action(action[1:].strip(), known, field))
        else:
            named.add(_action(action, known, field))
    return frozenset(named - excluded)


def _action(name: str, known: Collection[str], field: str) -> str:
    if name not in known:
        near = grammar.nearest(name, sorted(known))
        raise PacelineError(
            "invalid_attribute", f"{field}: there is no action '{name}'{near}", field=field
        )
    return name


@v_args(inline=True)
class _Callbacks(Transformer[Token, object]):
    """Builds the tree bottom-up while Lark parses."""

    def start(self, found: Filter) -> Filter:
        return found

    def disjunction(self, *terms: Filter) -> Filter:
        return Or(terms)

    def conjunction(self, *terms: Filter) -> Filter:
        return And(terms)

    def negated(self, term: Filter) -> Filter:
        return Not(term)

    def compare(self, name: Token, sign: Token, pattern: Pattern) -> Filter:
        compared = Comparison(sign)
        if compared not in (Comparison.EQUAL, Comparison.NOT_EQUAL) and _number(pattern) is None:
            raise grammar.Mistake(sign, f"{sign} compares numbers; texts have = and !=")
        return AttributeIs(str(name), compared, pattern)

    def pair_exists(self, _function: Token, key: Token, value: Token) -> Filter:
        return PairExists(key[1:-1], _pattern(value[1:-1]))

    def string(self, token: Token) -> Pattern:
        return _pattern(token[1:-1])

    def word(self, token: Token) -> Pattern:
        return _pattern(token)


@cache
def _filter_grammar() -> Lark:
    return grammar.load("filter_.lark", _Callbacks(), start=["start"])


def _pattern(text: str) -> Pattern:
    """Literal parts with `*` between them for any text."""
    first, *others = text.split("*")
    parts: list[str | Wildcard] = [first] if first else []
    for other in others:
        parts.append(Wildcard.ANY_TEXT)
        if other:
            parts.append(other)
    return tuple(parts)


def _number(pattern: Pattern) -> float | None:
    match pattern:
        case (str(text),):
            return _float(text)
        case _:
            return None


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


_INEQUALITIES: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.LESS_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_EQUAL: operator.ge,
}


def _leaf(leaf: PairExists | AttributeIs) -> Test[Attributes, Mapping[str, object]]:
    match leaf:
        case PairExists(key, pattern):
            fits = _fits(pattern)
            return lambda _attributes, user_data: fits(user_data.get(key))
        case AttributeIs(name, Comparison.EQUAL, pattern):
            fits = _fits(pattern)
            return lambda attributes, _data: fits(attributes.get(name))
        case AttributeIs(name, Comparison.NOT_EQUAL, pattern):
            fits = _fits(pattern)
            return lambda attributes, _data: (
                attributes.get(name) is not None and not fits(attributes[name])
            )
        case AttributeIs(name, sign, pattern):
            return _inequality(name, _INEQUALITIES[sign], _number(pattern) or 0.0)


def _fits(pattern: Pattern) -> Callable[[object], bool]:
    match pattern:
        case ():
            return lambda value: value == ""
        case (str(text),):
            return lambda value: value is not None and str(value) == text
        case _:
            expression = like_expression(pattern)
            return lambda value: value is not None and expression.fullmatch(str(value)) is not None


def _inequality(
    name: str, holds: Callable[[float, float], bool], limit: float
) -> Test[Attributes, Mapping[str, object]]:
    def test(attributes: Attributes, _data: Mapping[str, object]) -> bool:
        number = _float(attributes.get(name))
        return number is not None and holds(number, limit)

    return test

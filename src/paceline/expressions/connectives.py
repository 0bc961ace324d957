"""And, or, not over leaves of any kind, and their evaluation with three-valued logic.

Shared by view conditions, skill expressions and statistic filters. True, False, or None when a
value that is not there leaves the answer open, as in SQL.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

L = TypeVar("L")
M = TypeVar("M")
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class And(Generic[L]):
    """True when all terms are; true without terms."""

    terms: tuple["L | And[L] | Or[L] | Not[L]", ...]


@dataclass(frozen=True, slots=True)
class Or(Generic[L]):
    """True when one term is; false without terms."""

    terms: tuple["L | And[L] | Or[L] | Not[L]", ...]


@dataclass(frozen=True, slots=True)
class Not(Generic[L]):
    """True when the term is false; open when the term is."""

    term: "L | And[L] | Or[L] | Not[L]"


Formula: TypeAlias = L | And[L] | Or[L] | Not[L]
"""The functions below take `Formula[Any]`: no checker infers L from a union that holds L itself."""

Test: TypeAlias = Callable[[A, B], bool | None]
"""Takes what the leaves look at, in two parts, such as an interaction and the instant."""


def branches(formula: Formula[Any]) -> tuple[Formula[Any], ...]:
    """The terms directly below, none for a leaf."""
    match formula:
        case And(terms) | Or(terms):
            return terms
        case Not(term):
            return (term,)
    return ()


def depth(formula: Formula[Any]) -> int:
    """Greatest number of connectives above a leaf; without recursion, so for any tree."""
    deepest = 0
    pending = [(formula, 0)]
    while pending:
        node, level = pending.pop()
        deepest = max(deepest, level)
        pending.extend((term, level + 1) for term in branches(node))
    return deepest


def leaves(formula: Formula[Any]) -> Iterator[Any]:
    """All leaves, from left to right."""
    match formula:
        case And(terms) | Or(terms):
            for term in terms:
                yield from leaves(term)
        case Not(term):
            yield from leaves(term)
        case _:
            yield formula


def map_leaves(formula: Formula[Any], change: Callable[[L], M]) -> Formula[M]:
    """The same formula over other leaves."""
    match formula:
        case And(terms):
            return And(tuple(map_leaves(term, change) for term in terms))
        case Or(terms):
            return Or(tuple(map_leaves(term, change) for term in terms))
        case Not(term):
            return Not(map_leaves(term, change))
        case _:
            return change(formula)


def evaluator(formula: Formula[Any], leaf: Callable[[L], Test[A, B]]) -> Test[A, B]:
    """A function that evaluates the formula; `leaf` makes the functions of the leaves."""
    match formula:
        case And(terms):
            return _all_of([evaluator(term, leaf) for term in terms])
        case Or(terms):
            return _any_of([evaluator(term, leaf) for term in terms])
        case Not(term):
            return _negated(evaluator(term, leaf))
        case _:
            return leaf(formula)


def _all_of(tests: list[Test[A, B]]) -> Test[A, B]:
    def test(first: A, second: B) -> bool | None:
        answer: bool | None = True
        for term in tests:
            found = term(first, second)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return test


def _any_of(tests: list[Test[A, B]]) -> Test[A, B]:
    def test(first: A, second: B) -> bool | None:
        answer: bool | None = False
        for term in tests:
            found = term(first, second)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return test


def _negated(inner: Test[A, B]) -> Test[A, B]:
    def test(first: A, second: B) -> bool | None:
        found = inner(first, second)
        return None if found is None else not found

    return test

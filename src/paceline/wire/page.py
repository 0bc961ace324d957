"""Pages of lists: the limit, where to go on, the end (INTERFACES: lists).

Called by the list requests of every server.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from paceline.errors.failure import PacelineError

T = TypeVar("T")

LARGEST_PAGE = 1000
"""INTERFACES (lists)."""

LONGEST_NUMBER = 18
"""Digits of a number that fits the databases' integers."""


def checked_limit(limit: int) -> int:
    """The limit of a page.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is out of range.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise PacelineError(
            "invalid_attribute",
            f"limit is {limit}; give a number from 1 to {LARGEST_PAGE}",
            field="limit",
        )
    return limit


def page_after(
    items: Sequence[T], continuation: str | None, limit: int, name: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """The next items of a list that is sorted by name, and the continuation behind them.

    A continuation is the last name given, so that what comes and goes meanwhile moves nothing else.

    Raises
    ------
    PacelineError
        `invalid_attribute` when the limit is out of range.
    """
    checked_limit(limit)
    rest = items if continuation is None else [i for i in items if name(i) > continuation]
    return rest[:limit], name(rest[limit - 1]) if len(rest) > limit else None


def number_of(continuation: str | None) -> int | None:
    """The number that a continuation carries, None at the beginning.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is none of ours.
    """
    if continuation is None:
        return None
    is_number = continuation.isascii() and continuation.isdigit()
    if not (is_number and len(continuation) <= LONGEST_NUMBER):
        raise PacelineError(
            "invalid_attribute",
            f"'{continuation}' is no continuation; give the one of the last page unchanged",
            field="continuation",
        )
    return int(continuation)

"""Pages of lists: the limit, the place to go on from, the end.

Called by the lists of this server.
"""

from collections.abc import Sequence
from typing import TypeVar

from paceline.errors.failure import PacelineError

T = TypeVar("T")

LARGEST_PAGE = 1000
"""INTERFACES (lists)."""


def page_of(items: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """The first `limit` items, and whether these are all.

    Raises
    ------
    PacelineError
        `invalid_attribute` when the limit is out of range.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise PacelineError(
            "invalid_attribute",
            f"limit is {limit}; give a number from 1 to {LARGEST_PAGE}",
            field="limit",
        )
    return items[:limit], len(items) <= limit


def number_of(continuation: str | None) -> int:
    """The number that a continuation carries, 0 at the beginning.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is none of ours.
    """
    if continuation is None:
        return 0
    if not (continuation.isascii() and continuation.isdigit()):
        raise PacelineError(
            "invalid_attribute",
            f"'{continuation}' is no continuation; give the one of the last page unchanged",
            field="continuation",
        )
    return int(continuation)

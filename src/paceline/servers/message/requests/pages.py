"""Pages of lists that go from the newest back.

Called by the lists of this server.
"""

from paceline.errors.failure import PacelineError

LARGEST_PAGE = 1000
"""INTERFACES (lists)."""


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


def number_of(continuation: str | None) -> int | None:
    """The number below which a page goes on, None at the beginning.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is none of ours.
    """
    if continuation is None:
        return None
    if not (continuation.isascii() and continuation.isdigit() and len(continuation) < 19):
        raise PacelineError(
            "invalid_attribute",
            f"'{continuation}' is no continuation; give the one of the last page unchanged",
            field="continuation",
        )
    return int(continuation)

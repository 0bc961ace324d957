"""Calls that somebody insists on: repeated while a server or a link is away, given up when refused.

Used by customers and agents for operations that may be repeated safely. Never fails.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.log import get_log
from paceline.runtime.retry import retrying
from paceline.runtime.times import Times

T = TypeVar("T")

_PASSING_STATUSES = frozenset({429, 502, 503})
"""Too much work, a broken link, a server that is away: the error table's rows that may pass."""

_log = get_log("simulator")


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return isinstance(error, PacelineError) and (
        error.outcome == "unknown"
        or error.http_status in _PASSING_STATUSES
        or error.name == "operation_in_progress"
    )


class Attempts:
    """Insists on calls."""

    def __init__(self, times: Times, chance: Chance) -> None:
        self._times = times
        self._jitter = chance.stream("attempts")

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """The answer, as late as it may come; None when the server refuses for good."""
        try:
            try:
                return await call()
            except PacelineError as error:
                if not may_pass(error):
                    raise

            async def again() -> T:  # the policy awaits coroutine functions only
                return await call()

            return await retrying(self._times, self._jitter, when=may_pass)(again)
        except PacelineError as error:
            _log.debug("refused", problem=str(error))
            return None

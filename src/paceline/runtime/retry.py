"""Repeating what failed for a while: exponential waits with jitter, on machine time.

Used by links to other servers and databases, for actions that may be repeated safely.
"""

from collections.abc import Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_never,
)

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Stream
from paceline.runtime.times import Times


def retrying(
    times: Times,
    jitter: Stream,
    *,
    when: Callable[[BaseException], bool],
    first_s: float = 0.1,
    longest_s: float = 5.0,
    attempts: int | None = None,
) -> AsyncRetrying:
    """A policy: `await retrying(…)(function, *arguments)`; the last error is raised as it is.

    The n-th wait is drawn between half and all of min(longest_s, first_s × 2ⁿ⁻¹), and is never
    shorter than an error's own `retry_after_s`.

    Parameters
    ----------
    when
        Tells whether the error may pass and the action may be repeated.
    attempts
        How often to try in all; None tries for ever.
    """

    def wait_s(state: RetryCallState) -> float:
        doublings = min(state.attempt_number - 1, 32)  # 2³² × any first wait is past any limit
        backoff_s = min(longest_s, first_s * 2.0**doublings) * jitter.uniform(0.5, 1.0)
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, PacelineError) else None
        return max(backoff_s, asked_s or 0.0)

    return AsyncRetrying(
        sleep=times.machine.sleep,
        wait=wait_s,
        retry=retry_if_exception(when),
        stop=stop_never if attempts is None else stop_after_attempt(attempts),
        reraise=True,
    )

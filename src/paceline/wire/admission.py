"""Bounded admission: how many requests may be in work, shared fairly between connections."""

from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.wire.frames import MAX_IN_FLIGHT

MAX_IN_WORK = 16_384
"""Requests in work on one server (chosen: below the write lane's queue, so that it is never the one to refuse)."""

FAIR_SHARE = 64
"""What every connection may always have in work, however many there are (chosen)."""

RETRY_AFTER_S = 1.0


class Admission:
    """Refuses what is beyond a connection's share: never more than `MAX_IN_FLIGHT`, less when many share."""

    def __init__(self, connection_count: Callable[[], int]) -> None:
        self._connection_count = connection_count

    def enter(self, in_flight: int) -> None:
        """Admits one more request of a connection that has `in_flight` in work.

        Raises
        ------
        PacelineError
            `overloaded`, not done.
        """
        if in_flight < FAIR_SHARE:
            return
        share = max(FAIR_SHARE, min(MAX_IN_FLIGHT, MAX_IN_WORK // max(1, self._connection_count())))
        if in_flight >= share:
            raise PacelineError(
                "overloaded",
                f"this connection has {in_flight} requests in work, its share is {share}",
                retry_after_s=RETRY_AFTER_S,
            )

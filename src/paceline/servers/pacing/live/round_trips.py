"""Round trips near the limit are seen before they fail (pacing-service.md §1.2, roundTripWarning)."""

from collections import deque
from statistics import median

KEPT = 20
"""Round trips in the median (§1.2)."""


class RoundTrips:
    """The last round trips of reports."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=KEPT)
        self.warning = ""

    @property
    def last_ms(self) -> float | None:
        """The newest one in milliseconds."""
        return 1000.0 * self._last[-1] if self._last else None

    def add(
        self, round_trip_s: float, *, limit_s: float, share: float, sent_bytes: int, targets: int
    ) -> bool:
        """Take a round trip; True when the warning has just begun.

        `limit_s` is the smaller of request timeout and period, `share` the part of it that warns.
        """
        self._last.append(round_trip_s)
        middle = median(self._last)
        had = bool(self.warning)
        if len(self._last) < KEPT or middle <= share * limit_s:
            self.warning = ""
            return False
        rate = sent_bytes / max(round_trip_s, 1e-9) / 1000
        self.warning = (
            f"reports take {middle:.2f} s of {limit_s:.2f} s for {targets} targets and "
            f"{sent_bytes} bytes ({rate:.0f} kB/s seen)"
        )
        return not had

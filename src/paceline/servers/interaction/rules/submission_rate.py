"""How fast interactions may be pushed to a router: the documented `number/interval`, and its bucket."""

import re
from typing import Final

MAX_PER_SECOND: Final = 1000.0
"""Documented: at most 1000/second."""

BURST_S: Final = 0.1
"""What may be pushed at once after a pause, in seconds of the rate (chosen: hardly seen in a second)."""

_TEXT = re.compile(r"\s*(\d{1,9})\s*/\s*(second|minute|hour)\s*")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def per_second(text: str) -> float | None:
    """The rate of a text such as `10/second`; None when 0 disables the limit.

    Raises
    ------
    ValueError
        When it is none, or above the documented greatest.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no rate; write number/second, number/minute or number/hour")
    rate = int(found[1]) / _SECONDS[found[2]]
    if rate > MAX_PER_SECOND:
        raise ValueError(f"'{text}' is above 1000/second")
    return rate or None


class Bucket:
    """Counts what a rate allows; instants are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._saved = 1.0

    def allowed(self, rate: float | None, wanted: int, now: float) -> int:
        """How many of those wanted may go now."""
        if rate is None:
            return wanted
        most = max(1.0, rate * BURST_S)
        self._saved = min(most, self._saved + (now - self._at) * rate)
        self._at = now
        return min(wanted, int(self._saved + 1e-9))

    def spend(self, rate: float | None, count: int) -> None:
        """So many went."""
        if rate is not None:
            self._saved -= count

    def wait_s(self, rate: float | None) -> float:
        """Seconds until one more may go."""
        return 0.0 if rate is None else max(0.0, (1.0 - self._saved) / rate)

"""How long a name is refused after wrong passwords: doubling, bounded, forgotten by success.

Called by live/identities.py with machine time in seconds. Refusing costs nothing, so that guessing
passwords also costs the server nothing.
"""

MOST_NAMES = 10_000
"""Names remembered at once (chosen): beyond, the one that failed longest ago is forgotten."""


class LoginDelays:
    """Failures per name.

    Parameters
    ----------
    first_s, longest_s
        Delay after the first failure, and where doubling ends.
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self.first_s = first_s
        self.longest_s = longest_s
        self._failures: dict[str, tuple[int, float]] = {}

    def wait_s(self, name: str, now: float) -> float:
        """Seconds until the name may try again; 0 when it may now."""
        _, until = self._failures.get(name, (0, now))
        return max(0.0, until - now)

    def failed(self, name: str, now: float) -> None:
        """A wrong password: the name waits twice as long as the last time."""
        count, _ = self._failures.pop(name, (0, 0.0))
        # 2 ** 30 times any delay is above any limit; more would overflow after many failures.
        delay = min(self.longest_s, self.first_s * 2 ** min(count, 30))
        self._failures[name] = (count + 1, now + delay)
        while len(self._failures) > MOST_NAMES:
            self._failures.pop(next(iter(self._failures)))

    def succeeded(self, name: str) -> None:
        """The right password: failures are forgotten."""
        self._failures.pop(name, None)

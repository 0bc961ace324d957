"""Chance from one seed: a named stream of random numbers for each purpose.

Streams are independent of each other and of the order in which they are asked for, so that a new
use of chance does not change what the others draw. For simulation and jitter, never for secrets.
"""

import random
from hashlib import blake2b

from paceline.runtime.entropy import random_bytes


class Stream(random.Random):
    """Random numbers for one purpose; everything of `random.Random` and the field's laws."""

    def exponential(self, mean: float) -> float:
        """Exponentially distributed time with this mean; 0 for mean 0."""
        return self.expovariate(1.0 / mean) if mean > 0 else 0.0

    def lognormal(self, median: float, sigma: float) -> float:
        """Log-normally distributed time; `sigma` is the deviation of its logarithm."""
        return median * self.lognormvariate(0.0, sigma)


class Chance:
    """All the chance of one run; the seed repeats it.

    Parameters
    ----------
    seed
        None draws one, to be shown so that the run can be repeated.
    """

    __slots__ = ("seed",)

    def __init__(self, seed: int | None = None) -> None:
        self.seed = int.from_bytes(random_bytes(4), "big") if seed is None else seed

    def stream(self, name: str) -> Stream:
        """A stream that depends on the seed and the name only."""
        digest = blake2b(f"{self.seed}:{name}".encode(), digest_size=16).digest()
        return Stream(int.from_bytes(digest, "big"))

"""Where random bytes come from: the system, or a simulation's seed.

The only module that asks the system for randomness; ids.py, chance.py and secret.py ask it. A
simulation gives each simulated process a source of its own (`use_entropy`); nobody else does.
"""

import itertools
import os
from collections.abc import Callable
from contextvars import ContextVar

RandomBytes = Callable[[int], bytes]


class Entropy:
    """The random bytes of one process, and the count of its requests.

    Parameters
    ----------
    random_bytes
        Gives so many bytes that nobody can guess; only a simulation may give others.
    """

    __slots__ = ("random_bytes", "request_count", "request_prefix")

    def __init__(self, random_bytes: RandomBytes = os.urandom) -> None:
        self.random_bytes = random_bytes
        self.request_prefix = random_bytes(6).hex()
        self.request_count = itertools.count(1)


_current: ContextVar[Entropy] = ContextVar("entropy", default=Entropy())  # noqa: B039 - the process's own


def entropy() -> Entropy:
    """The source of the process that runs now."""
    return _current.get()


def use_entropy(source: Entropy) -> None:
    """Take this source from now on, in the current context and in what is started from it."""
    _current.set(source)


def random_bytes(size: int) -> bytes:
    """So many random bytes."""
    return _current.get().random_bytes(size)

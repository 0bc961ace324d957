"""The events still to come in each replication: a binary heap by time, many heaps in two flat arrays.

Called by the engine only. A heap that is full takes no more and says so; the world then refuses to go on.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.simulator.numeric.compiled import compiled

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

ACCEPT: Final = 0
REFUSE: Final = 1
ARRIVE: Final = 2
LEAVE: Final = 3
FREE: Final = 4
"""Kinds: an invitation is accepted, or ends otherwise; a reactive customer comes; a waiting one has
enough; an agent's slot is free again. `index` and `extra` name target, waiting place or agent."""

_KIND_BITS: Final = 3
_INDEX_BITS: Final = 32


@compiled
def packed(kind: int, index: int, extra: int) -> int:
    """An event in one number."""
    return kind | (index << _KIND_BITS) | (extra << _INDEX_BITS)


@compiled
def kind_of(event: int) -> int:
    """Its kind."""
    return event & 7


@compiled
def index_of(event: int) -> int:
    """Its target (ACCEPT, REFUSE, ARRIVE), waiting place (LEAVE) or agent (FREE)."""
    return (event & 0xFFFFFFFF) >> _KIND_BITS


@compiled
def extra_of(event: int) -> int:
    """The waiting place's turn (LEAVE) or the target (FREE)."""
    return event >> _INDEX_BITS


@compiled
def push(times: Array, events: Counts, first: int, size: int, at: float, event: int) -> None:
    """Add an event to the heap of `size` entries that begins at `first`; room must be there."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if times[first + parent] <= at:
            break
        times[first + place] = times[first + parent]
        events[first + place] = events[first + parent]
        place = parent
    times[first + place] = at
    events[first + place] = event


@compiled
def pop(times: Array, events: Counts, first: int, size: int) -> None:
    """Remove the earliest event of a heap that is not empty."""
    last = size - 1
    at, event = times[first + last], events[first + last]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        if child + 1 < last and times[first + child + 1] < times[first + child]:
            child += 1
        if at <= times[first + child]:
            break
        times[first + place] = times[first + child]
        events[first + place] = events[first + child]
        place = child
    times[first + place] = at
    events[first + place] = event

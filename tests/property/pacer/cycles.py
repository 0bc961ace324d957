"""Hypothesis strategies: a day of plausible and implausible cycles for a few targets."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from paceline.pacer import CycleInput

Array = NDArray[np.float64]
CUMULATIVE = (
    "accepted",
    "abandoned",
    "reactive_arrived",
    "reactive_abandoned",
    "served",
    "sent",
    "resolved",
)
CURRENT = ("waiting", "ready", "busy", "pending")
TARGETS = 3

Growth = dict[str, Array]


def counts(highest: float) -> st.SearchStrategy[Array]:
    """One count per target."""
    return hnp.arrays(np.float64, TARGETS, elements=st.integers(0, int(highest)).map(float))


def maybe_unknown(highest: float) -> st.SearchStrategy[Array]:
    """One count per target, some NaN."""
    elements = st.one_of(st.integers(0, int(highest)).map(float), st.just(float("nan")))
    return hnp.arrays(np.float64, TARGETS, elements=elements)


def growths() -> st.SearchStrategy[Growth]:
    """What one cycle adds to each cumulative count and the current counts after it."""
    pieces: dict[str, Any] = {name: counts(6) for name in CUMULATIVE}
    return st.fixed_dictionaries(pieces | {name: counts(30) for name in CURRENT})


def hostile() -> st.SearchStrategy[Growth]:
    """Any non-negative numbers, many unknown, counters that fall and jump."""
    return st.fixed_dictionaries({name: maybe_unknown(1e15) for name in CUMULATIVE + CURRENT})


def days(cycle: st.SearchStrategy[Growth], longest: int = 8) -> st.SearchStrategy[list[Growth]]:
    """A few cycles after one another."""
    return st.lists(cycle, min_size=1, max_size=longest)


def inputs(day: list[Growth]) -> list[CycleInput]:
    """Cumulative inputs of a day of growths."""
    totals = {name: np.zeros(TARGETS) for name in CUMULATIVE}
    made = []
    for growth in day:
        for name in CUMULATIVE:
            totals[name] = totals[name] + growth[name]
        made.append(CycleInput(elapsed_s=5.0, **totals, **{name: growth[name] for name in CURRENT}))
    return made

"""All a pacer remembers between cycles: counts, sums and last known values, one column per target.

Used by every module of this room; the last axis of each array is the target, so that keeping,
adding, dropping, saving and restoring targets need no knowledge of what an array means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
AgeArray = NDArray[np.float32]

AGE_WINDOW_S: Final = 80.0
"""An invitation's whole life must fit (PACING.md): a shorter window let abandonment reach 6.9 %."""
PRIOR_TRIALS: Final = 8.0
PRIOR_ACCEPTANCE: Final = 0.3
PRIOR_RESPONSE_S: Final = 15.0
"""Prior of an invitation's fate: share and delay of PACING.md's worlds; weight chosen."""
PRIOR_RELEASES: Final = 2.0
PRIOR_HANDLE_S: Final = 240.0
"""Weak (chosen): two releases' worth, a usual chat's length."""


@dataclass(slots=True, eq=False)
class TargetState:
    """What is remembered per target: shape (n,), and by age of the invitation (ages, n) as float32."""

    by_age_accepted: AgeArray  # decayed acceptances at each age
    by_age_resolved: AgeArray  # decayed answers and expiries at each age
    by_age_exposed: AgeArray  # decayed invitations that reached each age
    by_age_pending: AgeArray  # our own record of what is pending, by age
    last_accepted: Array  # cumulative counts as last known
    last_abandoned: Array
    last_reactive_arrived: Array
    last_reactive_abandoned: Array
    last_served: Array
    last_sent: Array
    last_resolved: Array
    known_waiting: Array  # current counts as last known
    known_ready: Array
    known_busy: Array
    known_pending: Array
    stale_cycles: Array  # cycles since waiting, ready or busy was known
    silent_s: Array  # seconds since the engine answered
    engine_gap: Array  # 1 where the last cycle had no answer: sent then is a guess
    arrival_gap: Array  # 1 where `accepted` was unknown last cycle
    guessed_sent: Array  # invitations booked on trust while the engine was silent
    last_permits: Array
    seen_acceptances: Array  # all so far, not forgotten
    released: Array  # decayed releases and busy seconds
    busy_s: Array
    left: Array  # decayed abandonments and waiting seconds
    waiting_s: Array
    reactive: Array  # decayed reactive arrivals and seconds
    reactive_s: Array
    entered: Array  # decayed acceptances and seconds
    entered_s: Array
    debt: Array
    reactive_debt: Array
    accept_block_seen: Array  # current block of the change detector
    accept_block_expected: Array
    accept_block_variance: Array
    accept_rise: Array
    accept_fall: Array
    reactive_block_seen: Array
    reactive_block_expected: Array
    reactive_block_variance: Array
    reactive_rise: Array
    reactive_fall: Array

    @classmethod
    def fresh(cls, period_s: Array, age_count: int) -> Self:
        """Start `period_s.size` targets from the built-in priors."""
        size = period_s.size
        survival = np.exp(-np.arange(age_count)[:, None] * period_s / PRIOR_RESPONSE_S)
        hazard = 1.0 - np.exp(-period_s / PRIOR_RESPONSE_S)
        exposed = PRIOR_TRIALS * survival
        started: dict[str, NDArray[Any]] = {
            "by_age_accepted": PRIOR_ACCEPTANCE * exposed * hazard,
            "by_age_resolved": exposed * hazard,
            "by_age_exposed": exposed,
            "by_age_pending": np.zeros((age_count, size)),
            "released": np.full(size, PRIOR_RELEASES),
            "busy_s": np.full(size, PRIOR_RELEASES * PRIOR_HANDLE_S),
        }
        for field in fields(cls):
            if field.name.startswith(("last_", "known_")):
                started[field.name] = np.full(size, np.nan)
        started["last_permits"] = np.zeros(size)
        return cls.of(started, size)

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], size: int) -> Self:
        """Build a state from named columns; a column that is not there is zero."""
        whole = {field.name: columns.get(field.name, np.zeros(size)) for field in fields(cls)}
        return cls(**{name: _own_copy(name, values) for name, values in whole.items()})

    def columns(self) -> dict[str, NDArray[Any]]:
        """Name every array."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def rearranged(
        self, source: NDArray[np.intp], period_s: Array, age_count: int
    ) -> "TargetState":
        """Return a state whose target i continues our target source[i], or starts afresh where that is -1."""
        new = TargetState.fresh(period_s, age_count)
        is_kept = source >= 0
        for name, values in new.columns().items():
            kept = getattr(self, name)[..., source[is_kept]]
            if values.ndim == 1:
                values[is_kept] = kept
            else:
                values[:, is_kept] = _fitted(kept, age_count)
        return new


def age_count(period_s: Array) -> int:
    """Return how many ages of one cycle cover an invitation's life, the last one open-ended."""
    shortest = float(period_s.min()) if period_s.size else AGE_WINDOW_S
    return int(np.ceil(AGE_WINDOW_S / shortest)) + 1


def _own_copy(name: str, values: NDArray[Any]) -> NDArray[Any]:
    kind = np.float32 if name.startswith("by_age_") else np.float64
    return np.array(values, dtype=kind)


def _fitted(by_age: AgeArray, count: int) -> AgeArray:
    """Cut or extend to `count` ages: what was older falls into the open last one."""
    fitted = np.zeros((count, by_age.shape[1]), dtype=np.float32)
    shared = min(count, by_age.shape[0])
    fitted[:shared] = by_age[:shared]
    fitted[-1] += by_age[shared:].sum(axis=0)
    return fitted

"""All a pacer remembers between cycles: counts, sums and last known values, one column per target.

Used by every module of this room; the last axis of each array is the target, so that keeping,
adding, dropping, saving and restoring targets need no knowledge of what an array means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from paceline.pacer.ages import AgeArray, AgeGrid

Array = NDArray[np.float64]
Column = NDArray[Any]
"""A remembered column: narrower than float64 where that does not matter; arithmetic with float64 widens it."""

PRIOR_TRIALS: Final = 8.0
PRIOR_ACCEPTANCE: Final = 0.3
PRIOR_RESPONSE_S: Final = 15.0
"""Prior of an invitation's fate: share and delay of PACING.md's worlds; weight chosen."""
PRIOR_RELEASES: Final = 2.0
PRIOR_HANDLE_S: Final = 240.0
"""Weak (chosen): two releases' worth, a usual chat's length."""
_HALVES: Final = ("accept_rise", "accept_fall", "reactive_rise", "reactive_fall")
"""CUSUM sums end at 5: float16 holds them to .004."""
_SMALL: Final = {"stale_cycles": np.uint8, "arrival_gap": np.uint8, "overlap_evidence": np.int8}


@dataclass(slots=True, eq=False)
class TargetState:
    """What is remembered per target: shape (n,), or (buckets, n) and (ages, n) for `by_age_*`.

    Write through `put` or in place only: a block of targets is a view of the whole.
    """

    grid: AgeGrid
    by_age_accepted: AgeArray  # decayed acceptances in each bucket of ages
    by_age_resolved: AgeArray  # decayed answers and expiries in each bucket
    by_age_exposed: AgeArray  # decayed invitation cycles spent in each bucket
    by_age_pending: AgeArray  # our own record of what is pending, by age
    last_accepted: Column  # cumulative counts as last known
    last_abandoned: Column
    last_reactive_arrived: Column
    last_reactive_abandoned: Column
    last_served: Column
    last_sent: Column
    last_resolved: Column
    known_waiting: Column  # current counts as last known
    known_ready: Column
    known_busy: Column
    known_pending: Column
    stale_cycles: Column  # cycles since waiting, ready or busy was known, at most 255
    silent_s: Column  # seconds since the engine answered
    arrival_gap: Column  # 1 where `accepted` was unknown last cycle
    overlap_evidence: (
        Column  # above -1: targets that share agents report the same queues (shared_queues.py)
    )
    guessed_sent: Column  # invitations booked on trust while the engine was silent
    given_permits: Column  # of the cycle before
    seen_acceptances: Column  # all so far, not forgotten
    released: Column  # decayed releases and busy seconds
    busy_s: Column
    left: Column  # decayed abandonments and waiting seconds
    waiting_s: Column
    reactive: Column  # decayed reactive arrivals and seconds
    reactive_s: Column
    entered: Column  # decayed acceptances and seconds
    entered_s: Column
    crew: Column  # agents or slots logged in, slowly averaged up to the cycle before
    debt: Column
    reactive_debt: Column
    policy_level: (
        Column  # what a classical policy carries over: a dial level or a part of an invitation
    )
    accept_block_seen: Column  # current block of the change detector
    accept_block_expected: Column
    accept_rise: Column
    accept_fall: Column
    reactive_block_seen: Column
    reactive_block_expected: Column
    reactive_rise: Column
    reactive_fall: Column

    @classmethod
    def fresh(cls, period_s: Array, grid: AgeGrid) -> Self:
        """Start `period_s.size` targets from the built-in priors."""
        size = period_s.size
        survival = np.exp(-np.arange(grid.age_count)[:, None] * period_s / PRIOR_RESPONSE_S)
        hazard = 1.0 - np.exp(-period_s / PRIOR_RESPONSE_S)
        exposed = grid.gathered((PRIOR_TRIALS * survival).astype(np.float32))
        started: dict[str, NDArray[Any]] = {
            "by_age_accepted": PRIOR_ACCEPTANCE * exposed * hazard,
            "by_age_resolved": exposed * hazard,
            "by_age_exposed": exposed,
            "by_age_pending": np.zeros((grid.age_count, size)),
            "released": np.full(size, PRIOR_RELEASES),
            "busy_s": np.full(size, PRIOR_RELEASES * PRIOR_HANDLE_S),
        }
        for name in column_names():
            if name.startswith(("last_", "known_")):
                started[name] = np.full(size, np.nan)
        return cls.of(started, size, grid)

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], size: int, grid: AgeGrid) -> Self:
        """Build a state from named columns, in their own precision; a column that is not there is zero."""
        return cls(
            grid,
            *(
                np.array(columns.get(name, np.zeros(size)), dtype=_kind(name))
                for name in column_names()
            ),
        )

    def put(self, name: str, values: NDArray[Any]) -> None:
        """Remember a column, rounded to its precision."""
        np.copyto(getattr(self, name), values, casting="unsafe")

    def columns(self) -> dict[str, NDArray[Any]]:
        """Name every array."""
        return {name: getattr(self, name) for name in column_names()}

    def block(self, part: slice) -> "TargetState":
        """Return some targets as a view: what is learned there is learned here."""
        return TargetState(self.grid, *(getattr(self, name)[..., part] for name in column_names()))

    def rearranged(self, source: NDArray[np.intp], period_s: Array, grid: AgeGrid) -> "TargetState":
        """Return a state whose target i continues our target source[i], or starts afresh where that is -1."""
        new = TargetState.fresh(period_s, grid)
        is_kept = source >= 0
        is_same_grid = np.array_equal(grid.bucket, self.grid.bucket)
        for name, values in new.columns().items():
            kept = getattr(self, name)[..., source[is_kept]]
            if values.ndim > 1 and not is_same_grid:
                kept = _moved(name, kept, self.grid, grid)
            values[..., is_kept] = kept
        return new


def column_names() -> tuple[str, ...]:
    """Names of all remembered arrays."""
    return tuple(field.name for field in fields(TargetState) if field.name != "grid")


def grid_of(period_s: Array) -> AgeGrid:
    """Return the age grid that covers an invitation's life for targets with these periods."""
    return AgeGrid.covering(float(period_s.min()) if period_s.size else 5.0)


def _kind(name: str) -> Any:
    if name.startswith("last_"):
        return np.float64  # counts up to 1e15, whose differences must be exact
    if name in _SMALL:
        return _SMALL[name]
    return np.float16 if name in _HALVES else np.float32


def _moved(name: str, by_age: AgeArray, old: AgeGrid, new: AgeGrid) -> AgeArray:
    """Bring counts of one grid to another."""
    if name == "by_age_pending":
        return new.fitted(by_age)
    return new.gathered(new.fitted(old.spread(by_age)))

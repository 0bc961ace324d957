"""What enters and leaves one pacing cycle, and the check of what enters.

Used by whoever feeds the pacer (servers/pacing, the simulator, a user alone).
Never changes the pacer's state: a refused input leaves everything as it was.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HIGHEST_COUNT = 1e15
"""Above it float64 cannot tell neighbouring counts apart (2**53 is 9e15): no counter gets there."""
_POOL_FIELDS = ("pool_ready", "pool_busy")
_WHOLE_FIELDS = ("elapsed_s", *_POOL_FIELDS)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CycleInput:
    """One cycle's statistics; arrays of shape (n,), NaN = unknown this cycle, None = unknown for every target.

    Cumulative counts: `accepted`, `abandoned`, `reactive_arrived`, `reactive_abandoned`, `served`, `sent`,
    `resolved`; a fall means a restart from zero. Current counts: `waiting`, `ready`, `busy`, `pending`, and of
    shape (m,), only with `reach`, `pool_ready`, `pool_busy`. `elapsed_s`: seconds since the previous step, ≥ 0.
    Meaning of each: PACING.md, "Where it lives".
    """

    elapsed_s: float
    accepted: ArrayLike | None = None
    abandoned: ArrayLike | None = None
    reactive_arrived: ArrayLike | None = None
    reactive_abandoned: ArrayLike | None = None
    served: ArrayLike | None = None
    waiting: ArrayLike | None = None
    ready: ArrayLike | None = None
    busy: ArrayLike | None = None
    pending: ArrayLike | None = None
    sent: ArrayLike | None = None
    resolved: ArrayLike | None = None
    pool_ready: ArrayLike | None = None
    pool_busy: ArrayLike | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CycleOutput:
    """Permits per target and why; arrays of shape (n,).

    `permits`: int64 ≥ 0. `reason`: `PermitReason` numbers. Diagnostics: `slack` [interactions the agents can take
    beyond what is on its way], `safety` [standard deviations], `acceptance` with its one-sided 80 % bounds
    [share], `patience_s`, `handle_time_s` [s], `debt` [abandonments beyond the goal],
    `abandonment_forecast` [share].
    """

    permits: NDArray[np.int64]
    reason: NDArray[np.uint8]
    slack: Array
    safety: Array
    acceptance: Array
    acceptance_low: Array
    acceptance_high: Array
    patience_s: Array
    handle_time_s: Array
    debt: Array
    abandonment_forecast: Array


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Readings:
    """A checked `CycleInput`: float64 arrays of the right shape, values ≥ 0 or NaN."""

    elapsed_s: float
    accepted: Array
    abandoned: Array
    reactive_arrived: Array
    reactive_abandoned: Array
    served: Array
    waiting: Array
    ready: Array
    busy: Array
    pending: Array
    sent: Array
    resolved: Array
    pool_ready: Array
    pool_busy: Array

    def block(self, part: slice) -> "Readings":
        """Return the readings of some targets, as views; only without shared agents."""
        names = (field.name for field in fields(Readings) if field.name not in _WHOLE_FIELDS)
        return replace(self, **{name: getattr(self, name)[part] for name in names})


def joined(outputs: list[CycleOutput]) -> CycleOutput:
    """Put the outputs of consecutive blocks of targets together."""
    names = [field.name for field in fields(CycleOutput)]
    return CycleOutput(
        **{name: np.concatenate([getattr(part, name) for part in outputs]) for name in names}
    )


def checked(cycle: CycleInput, *, target_count: int, pool_count: int) -> Readings:
    """Check one cycle's input.

    A count that cannot be (below 0, above 1e15) is taken as unknown for that target alone.

    Raises
    ------
    ValueError
        A wrong shape, an infinity, something that is not a number, an `elapsed_s` below 0 or NaN,
        pools without `reach`.
    """
    elapsed_s = float(cycle.elapsed_s)
    if not (np.isfinite(elapsed_s) and elapsed_s >= 0.0):
        raise ValueError(
            f"elapsed_s is {elapsed_s}; it must be a finite number of seconds, 0 or more"
        )
    columns: dict[str, Array] = {}
    for field in fields(CycleInput):
        if field.name != "elapsed_s":
            size = pool_count if field.name in _POOL_FIELDS else target_count
            columns[field.name] = column(getattr(cycle, field.name), field.name, size)
    return Readings(elapsed_s=elapsed_s, **columns)


def column(values: ArrayLike | None, name: str, size: int) -> Array:
    """Return `values` as float64 of shape (size,), impossible counts as NaN; None gives NaN everywhere.

    Raises
    ------
    ValueError
        A wrong shape, an infinity, or something that is not a number.
    """
    if values is None:
        return np.full(size, np.nan)
    try:
        array = np.asarray(values, dtype=np.float64)
    except TypeError as mistake:
        raise ValueError(f"{name} holds something that is not a number") from mistake
    if array.shape != (size,):
        raise ValueError(f"{name} has shape {array.shape}; it must be ({size},)")
    low, high = np.minimum.reduce(array, initial=0.0), np.maximum.reduce(array, initial=0.0)
    if low >= 0.0 and high <= HIGHEST_COUNT:
        return array  # the usual case: all known and possible
    if np.isinf(array).any():
        raise ValueError(
            f"{name} holds an infinity at {int(np.argmax(np.isinf(array)))}; NaN means unknown"
        )
    is_impossible = (array < 0.0) | (array > HIGHEST_COUNT)
    return np.where(is_impossible, np.nan, array)


def increase(previous: Array, now: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Growth of a cumulative count since it was last known, and where that growth is known.

    A fall means a restart from zero, so the growth is then the new value; the first value ever is no growth.
    """
    growth = now - previous
    if np.minimum.reduce(growth, initial=0.0) >= 0.0:  # the usual case: NaN is not
        return growth, np.ones(growth.size, dtype=np.bool_)
    is_known = ~np.isnan(growth)
    growth = np.where(now < previous, now, growth)
    return np.where(is_known, growth, 0.0), is_known

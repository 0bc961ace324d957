"""What happens when statistics or the engine's answers stay away, and the limits no policy may pass.

Called by the pacer before and after a policy decides.
Never learns anything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.pacer.ages import total
from paceline.pacer.inputs import Readings
from paceline.pacer.reasons import PermitReason
from paceline.pacer.state import Array, TargetState

TRUSTED_CYCLES: Final = 2
"""Cycles on the last known values; the next is progressive, then none (PACING.md, "Guards")."""
MOST_STALE: Final = 255.0
"""Counting stops where one byte ends; every count above `TRUSTED_CYCLES` + 1 means the same."""
SILENT_PERIODS: Final = 2.0
"""Periods without an engine's answer after which nothing is permitted (PACING.md, "Guards")."""

MOST_PERMITS: Final = 2**31 - 1
"""The most any target is permitted, and what "no limit" means: the largest number a four-byte column holds
(chosen)."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Current counts to decide on, the last known ones where this cycle's are missing; shape (n,)."""

    ready: Array
    busy: Array
    waiting: Array
    pending: Array


def carry_forward(state: TargetState, readings: Readings, period_s: Array) -> Levels:
    """Remember what is known this cycle, count the cycles without, and return the values to decide on.

    What was never known is 0 here; `verdict` then permits nothing.
    """
    is_missing = np.isnan(readings.waiting) | np.isnan(readings.ready) | np.isnan(readings.busy)
    longer = np.minimum(state.stale_cycles.astype(np.float64) + 1.0, MOST_STALE)
    state.put("stale_cycles", np.where(is_missing, longer, 0.0))
    is_silent = np.isnan(readings.pending)
    passed = np.maximum(readings.elapsed_s, period_s)
    state.put("silent_s", np.where(is_silent, state.silent_s + passed, 0.0))
    pending = _carried(state, readings, "pending")
    if is_silent.any():
        pending = np.where(is_silent, total(state.by_age_pending), pending)
    return Levels(
        ready=_carried(state, readings, "ready"),
        busy=_carried(state, readings, "busy"),
        waiting=_carried(state, readings, "waiting"),
        pending=pending,
    )


def _carried(state: TargetState, readings: Readings, name: str) -> Array:
    """One current count or its last known value; remembers it."""
    now: Array = getattr(readings, name)
    known: NDArray[np.float32] = getattr(state, f"known_{name}")
    is_missing = np.isnan(now)
    np.copyto(known, now, casting="same_kind", where=~is_missing)
    return np.where(is_missing, np.nan_to_num(known), now) if is_missing.any() else now


def verdict(
    state: TargetState,
    levels: Levels,
    period_s: Array,
    permits: Array,
    reason: NDArray[np.uint8],
    cautious: Array,
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Overrule the policy's permits where the input is missing or nobody can serve.

    `cautious` is max(0, R − Q − K) on the last known values. The last rule that applies wins.
    """
    is_unknown = (
        np.isnan(state.known_waiting) | np.isnan(state.known_ready) | np.isnan(state.known_busy)
    )
    is_unheard = np.isnan(state.known_pending)
    rules: tuple[tuple[Flags, Array | float, PermitReason], ...] = (
        (state.stale_cycles > TRUSTED_CYCLES, cautious, PermitReason.STALE_STATISTICS),
        (state.stale_cycles > TRUSTED_CYCLES + 1, 0.0, PermitReason.STALE_STATISTICS),
        (levels.ready + levels.busy <= 0.0, 0.0, PermitReason.NO_AGENTS),
        (
            is_unheard | (state.silent_s >= SILENT_PERIODS * period_s),
            0.0,
            PermitReason.ENGINE_UNREACHABLE,
        ),
        (is_unknown, 0.0, PermitReason.NO_STATISTICS),
    )
    for applies, allowed, why in rules:
        if not applies.any():
            continue
        permits = np.where(applies, np.minimum(permits, allowed), permits)
        reason = np.where(applies, np.uint8(why), reason)
    return np.clip(permits, 0.0, MOST_PERMITS).astype(np.int64), reason

"""What happens when statistics or the engine's answers stay away, and the limits no policy may pass.

Called by the pacer before and after a policy decides.
Never learns anything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.pacer.inputs import Readings
from paceline.pacer.reasons import PermitReason
from paceline.pacer.state import Array, TargetState

TRUSTED_CYCLES: Final = 2
"""Cycles on the last known values; the next is progressive, then none (PACING.md, "Guards")."""
SILENT_PERIODS: Final = 2.0
"""Periods without an engine's answer after which nothing is permitted (PACING.md, "Guards")."""

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
    state.stale_cycles = np.where(is_missing, state.stale_cycles + 1.0, 0.0)
    is_silent = np.isnan(readings.pending)
    passed = np.maximum(readings.elapsed_s, period_s)
    state.silent_s = np.where(is_silent, state.silent_s + passed, 0.0)
    for name in ("waiting", "ready", "busy", "pending"):
        now: Array = getattr(readings, name)
        known: Array = getattr(state, f"known_{name}")
        setattr(state, f"known_{name}", np.where(np.isnan(now), known, now))
    record = state.by_age_pending.sum(axis=0, dtype=np.float64)
    pending = np.where(is_silent, record, state.known_pending)
    return Levels(
        ready=np.nan_to_num(state.known_ready),
        busy=np.nan_to_num(state.known_busy),
        waiting=np.nan_to_num(state.known_waiting),
        pending=np.nan_to_num(pending),
    )


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
        permits = np.where(applies, np.minimum(permits, allowed), permits)
        reason = np.where(applies, np.uint8(why), reason)
    return np.maximum(permits, 0.0).astype(np.int64), reason

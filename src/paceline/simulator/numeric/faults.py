"""What breaks during a day: statistics, counters, the engagement engine, the master.

Called by day.py every cycle. The world itself goes on as before; what the pacer and the engine hear changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from paceline.pacer import CycleInput
from paceline.simulator.numeric.scenario import Fault, FaultKind

_COUNTERS: Final = ("accepted", "abandoned", "reactive_arrived", "reactive_abandoned", "served")
_LEVELS: Final = ("waiting", "ready", "busy", "pool_ready", "pool_busy")
_ENGINE: Final = ("pending", "sent", "resolved")


class Faults:
    """The faults of one day, as seen by one pacer."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._last_good: CycleInput | None = None
        self._frozen_cycles = 0
        self._offsets: dict[str, NDArray[np.float64]] = {}

    def is_on(self, kind: FaultKind, now_s: float) -> bool:
        """Whether a fault of this kind lasts now."""
        return any(
            fault.kind == kind and 60 * fault.at_min <= now_s < 60 * fault.at_min + fault.for_s
            for fault in self._faults
        )

    def happens(self, kind: FaultKind, now_s: float, period_s: float) -> bool:
        """Whether a fault of this kind begins in the cycle that starts now."""
        return any(
            fault.kind == kind and now_s <= 60 * fault.at_min < now_s + period_s
            for fault in self._faults
        )

    def heard(self, reading: CycleInput, now_s: float, period_s: float) -> CycleInput:
        """What reaches the pacer of a reading."""
        if self.happens("counters_reset", now_s, period_s):
            self._offsets = {name: np.array(getattr(reading, name)) for name in _COUNTERS}
        if self._offsets:
            counted: dict[str, Any] = {
                name: getattr(reading, name) - self._offsets[name] for name in _COUNTERS
            }
            reading = replace(reading, **counted)
        reading = self._frozen(reading, now_s)
        if self.is_on("engine_lost", now_s):
            reading = _without(reading, _ENGINE)
        return reading

    def _frozen(self, reading: CycleInput, now_s: float) -> CycleInput:
        """The last values for one cycle, then none: a value older than a period is unknown (PACING.md)."""
        if not self.is_on("statistics_frozen", now_s) or self._last_good is None:
            self._last_good, self._frozen_cycles = reading, 0
            return reading
        self._frozen_cycles += 1
        names = (*_COUNTERS, *_LEVELS)
        if self._frozen_cycles == 1:
            old: dict[str, Any] = {name: getattr(self._last_good, name) for name in names}
            return replace(reading, **old)
        return _without(reading, names)


def _without(reading: CycleInput, names: tuple[str, ...]) -> CycleInput:
    unknown: dict[str, Any] = dict.fromkeys(names)
    return replace(reading, **unknown)

"""Measures the pacer alone: milliseconds per step and bytes per target.

Used by `paceline bench cycle`. Targets are made up and differ from one another.
"""

import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Final

import msgspec
import numpy as np

from paceline.bench.interactions import Spread
from paceline.pacer import CycleInput, Pacer
from paceline.runtime.times import MachineTime

SIZES: Final = (10_000, 100_000, 1_000_000)
WARM_UP_STEPS: Final = 3
STEPPED_TARGETS: Final = 400_000
"""Targets stepped per reading of the clock, which has a resolution of 1 ms."""
MEMORY_TARGETS: Final = 20_000
"""Bytes per target do not depend on how many there are (chosen: quick)."""


class Steps(msgspec.Struct, frozen=True):
    """Milliseconds per step at a number of targets."""

    targets: int
    step_ms: Spread


class Memory(msgspec.Struct, frozen=True):
    """Bytes per target at a cycle length: kept between steps, at most during one, and saved."""

    period_s: float
    kept: float
    peak: float
    saved: float


class CycleFigures(msgspec.Struct, frozen=True):
    """Result of a measurement, one thread."""

    policy: str
    steps: tuple[Steps, ...]
    memory: tuple[Memory, ...]


async def measure(
    *, policy: str, sizes: tuple[int, ...], rounds: int, progress: Callable[[str], None]
) -> CycleFigures:
    """Step made-up targets; needs a running event loop for its clock only."""
    steps = []
    for size in sizes:
        progress(f"{size:,} targets")
        steps.append(Steps(size, await _step_ms(policy, size, rounds)))
    progress("memory")
    return CycleFigures(
        policy, tuple(steps), tuple(_memory(policy, period) for period in (5.0, 1.0))
    )


async def _step_ms(policy: str, size: int, rounds: int) -> Spread:
    clock = MachineTime()
    pacer = Pacer([f"target {number}" for number in range(size)], policy=policy)
    centre = _Centre(size)
    for _ in range(WARM_UP_STEPS):
        centre.permits = pacer.step(centre.reading(5.0)).permits
    took = []
    for _ in range(rounds):
        readings = [centre.reading(5.0) for _ in range(max(1, STEPPED_TARGETS // size))]
        await clock.sleep(0)  # the loop's clock stands still until the loop runs
        begin = clock.monotonic()
        for reading in readings:
            centre.permits = pacer.step(reading).permits
        await clock.sleep(0)
        took.append(1000.0 * (clock.monotonic() - begin) / len(readings))
    return Spread(median(took), min(took), max(took))


def _memory(policy: str, period_s: float) -> Memory:
    centre = _Centre(MEMORY_TARGETS)
    readings = [centre.reading(period_s) for _ in range(WARM_UP_STEPS)]
    names = [f"target {number}" for number in range(MEMORY_TARGETS)]
    tracemalloc.start()
    pacer = Pacer(names, period_s=period_s, policy=policy)
    for reading in readings:
        pacer.step(reading)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    saved = len(pacer.save())
    return Memory(period_s, *(value / MEMORY_TARGETS for value in (kept, peak, saved)))


class _Centre:
    """Plausible statistics: crews of 5 to 50, nine in ten busy."""

    def __init__(self, size: int) -> None:
        self._draw = np.random.default_rng(1)
        self._crew = self._draw.integers(5, 50, size)
        self._accepted = np.zeros(size)
        self._sent = np.zeros(size)
        self.permits = np.zeros(size, dtype=np.int64)

    def reading(self, period_s: float) -> CycleInput:
        """The next cycle."""
        busy = self._draw.binomial(self._crew, 0.9)
        released = self._draw.poisson(busy * period_s / 200.0)
        self._accepted = self._accepted + released
        self._sent = self._sent + np.minimum(self.permits, self._crew)
        pending = self._draw.poisson(0.3 * self._crew)
        return CycleInput(
            elapsed_s=period_s,
            accepted=self._accepted,
            abandoned=np.floor(0.03 * self._accepted),
            reactive_arrived=np.zeros_like(self._sent),
            reactive_abandoned=np.zeros_like(self._sent),
            served=self._accepted,
            waiting=self._draw.poisson(0.2, self._crew.size),
            ready=self._crew - busy,
            busy=busy,
            pending=pending,
            sent=self._sent,
            resolved=np.maximum(self._sent - pending, 0.0),
        )

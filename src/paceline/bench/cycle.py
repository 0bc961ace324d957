"""Measures the pacer alone: milliseconds per step and bytes per target.

Used by `paceline bench cycle`. Targets are made up and differ from one another.
"""

import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Final

import msgspec
import numpy as np
from scipy import sparse

from paceline.bench.spread import Spread
from paceline.pacer import CycleInput, Pacer
from paceline.runtime.times import MachineTime

SIZES: Final = (10_000, 100_000, 1_000_000)
WARM_UP_STEPS: Final = 3
STEPPED_TARGETS: Final = 400_000
"""Targets stepped per reading of the clock, which has a resolution of 1 ms."""
MEMORY_TARGETS: Final = 20_000
"""Bytes per target do not depend on how many there are (chosen: quick)."""


_PAIR: Final = [[1, 0, 1], [0, 1, 1]]
_CHAIN: Final = [[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1]]
ARRANGEMENTS: Final[dict[str, list[list[int]] | None]] = {
    "without reach": None,
    "own pools": [[1]],
    "pairs share": _PAIR,
    "chains of four": _CHAIN,
}
"""Which targets (rows) reach which pools (columns), over and over; None = the pacer is given no `reach`."""


class Steps(msgspec.Struct, frozen=True):
    """Milliseconds per step at a number of targets, arranged as one of `ARRANGEMENTS`."""

    targets: int
    arrangement: str
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
        steps += await _steps(policy, size, rounds)
    progress("memory")
    return CycleFigures(
        policy, tuple(steps), tuple(_memory(policy, period) for period in (5.0, 1.0))
    )


async def _steps(policy: str, size: int, rounds: int) -> list[Steps]:
    """Every arrangement in turn, so that a disturbance of the machine meets them alike."""
    clock = MachineTime()
    names = [f"target {number}" for number in range(size)]
    centres = {name: _Centre(size, pattern) for name, pattern in ARRANGEMENTS.items()}
    pacers = {
        name: Pacer(names, reach=centre.reach, policy=policy) for name, centre in centres.items()
    }
    took: dict[str, list[float]] = {name: [] for name in ARRANGEMENTS}
    for number in range(-1, rounds):
        for name, centre in centres.items():
            count = WARM_UP_STEPS if number < 0 else max(1, STEPPED_TARGETS // size)
            readings = [centre.reading(5.0) for _ in range(count)]
            await clock.sleep(0)  # the loop's clock stands still until the loop runs
            begin = clock.monotonic()
            for reading in readings:
                centre.permits = pacers[name].step(reading).permits
            await clock.sleep(0)
            if number >= 0:
                took[name].append(1000.0 * (clock.monotonic() - begin) / count)
    return [
        Steps(size, name, Spread(median(each), min(each), max(each))) for name, each in took.items()
    ]


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
    """Plausible statistics: pools of 5 to 50 agents, nine in ten busy."""

    def __init__(self, size: int, pattern: list[list[int]] | None = None) -> None:
        block = sparse.csr_array(np.array(pattern or [[1]], dtype=np.float64))
        times = -(-size // block.shape[0])
        whole = sparse.csr_array(sparse.kron(sparse.eye_array(times), block, format="csr"))
        self._reaches = sparse.csr_array(whole[:size, :])
        self.reach = None if pattern is None else self._reaches
        self._draw = np.random.default_rng(1)
        self._crew = self._draw.integers(5, 50, self._reaches.shape[1])
        self._accepted = np.zeros(size)
        self._served = np.zeros(size)
        self._sent = np.zeros(size)
        self.permits = np.zeros(size, dtype=np.int64)

    def reading(self, period_s: float) -> CycleInput:
        """The next cycle."""
        size = self._sent.size
        busy = self._draw.binomial(self._crew, 0.9)
        ready = self._crew - busy
        crew = self._reaches @ self._crew
        released = self._reaches @ self._draw.poisson(busy * period_s / 200.0)
        self._served = self._served + released
        self._accepted = self._accepted + released
        self._sent = self._sent + np.minimum(self.permits, crew)
        pending = self._draw.poisson(0.3 * crew)
        has_pools = self.reach is not None
        return CycleInput(
            elapsed_s=period_s,
            accepted=self._accepted,
            abandoned=np.floor(0.03 * self._accepted),
            reactive_arrived=np.zeros(size),
            reactive_abandoned=np.zeros(size),
            served=self._served,
            waiting=self._draw.poisson(0.2, size),
            ready=self._reaches @ ready,
            busy=self._reaches @ busy,
            pending=pending,
            sent=self._sent,
            resolved=np.maximum(self._sent - pending, 0.0),
            pool_ready=ready if has_pools else None,
            pool_busy=busy if has_pools else None,
        )

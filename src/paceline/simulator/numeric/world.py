"""Many replications of one or more cells side by side, each target of each one target of a pacer.

Built and driven by day.py: permits in, statistics out, values changed by schedules.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paceline.pacer import CycleInput
from paceline.simulator.numeric import layout
from paceline.simulator.numeric.arrays import Array, Counts
from paceline.simulator.numeric.engine import pass_cycle
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.scenario import Cell


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums since the start of the day: `targets` (kinds, n) and `sites` (kinds, sites), see the names."""

    targets: Array
    sites: Array


TARGET_TOTALS: Final = (
    "accepted",
    "abandoned",
    "silent",
    "reactive_arrived",
    "reactive_abandoned",
    "sent",
    "served",
    "waiting_s",
)
SITE_TOTALS: Final = ("in_use_s", "slot_s", "busy_people_s", "present_s")


class World:
    """The parts' replications.

    Parameters
    ----------
    seed
        With the cell's name and the number of the replication it fixes all chance of that replication.
    most_agents
        Per part, the factor on its agents that its schedule reaches at most.
    """

    def __init__(self, parts: list[Part], *, seed: int, most_agents: list[float]) -> None:
        self.parts = parts
        self.target_first = _starts(part.target_count for part in parts)
        self.site_first = _starts(part.count for part in parts)
        pools = [len(part.cell.agent_pools) for part in parts]
        self.pool_first = _starts(
            part.count * number for part, number in zip(parts, pools, strict=True)
        )
        self.is_shared = any(part.cell.is_shared for part in parts)
        self.now = 0.0
        self.arrays = layout.arrays(parts, most_agents, seed)
        pools_of = np.diff(self.arrays.sites.pool_first)
        self._pool_site = np.repeat(np.arange(pools_of.size), pools_of)
        self._reach = self._blocks(layout.reach_of)
        self._sees = self._blocks(layout.sees_of)

    @property
    def target_count(self) -> int:
        """Targets of all replications."""
        return int(self.target_first[-1])

    def reach(self) -> sparse.csr_array | None:
        """Targets × pools, for the pacer; None where every target has its own agents."""
        return self._reach if self.is_shared else None

    def goals(self) -> Array:
        """Optimization goal of each target, percent."""
        return self._per_target(lambda cell: cell.goal_percent)

    def periods(self) -> Array:
        """Cycle length of each target."""
        return self._per_target(lambda cell: cell.period_s)

    def log_in(self, part: int, factor: float) -> None:
        """Let a part work with `factor` times its agents from now on.

        The agents with the highest numbers leave: at once when idle, else when their customers are gone.
        """
        pools, cell = self.arrays.pools, self.parts[part].cell
        per_site = [round(pool.agents * factor) for pool in cell.agent_pools]
        first, last = int(self.pool_first[part]), int(self.pool_first[part + 1])
        for offset, pool in enumerate(range(first, last)):
            count = per_site[offset % len(per_site)]
            load = self.arrays.agents.load[pools.agent_first[pool] : pools.agent_last[pool]]
            pools.logged_in[pool] = count
            pools.staying[pool] = load[:count].sum()
            pools.present[pool] = count + np.count_nonzero(load[count:])

    def pass_cycle(self, permits: Counts, period_s: float) -> None:
        """Send what is permitted and let a cycle pass.

        Raises
        ------
        RuntimeError
            More went on in a replication than there is room for.
        """
        pass_cycle(self.arrays, permits, self.now, period_s)
        self.now += period_s
        if self.arrays.sites.is_full.any():
            raise RuntimeError("a replication has more events than its world has room for")

    def reading(self, elapsed_s: float) -> CycleInput:
        """What a Stat Server and an engagement engine would tell the pacer now.

        Queues are those a target sees, releases those of all agents it reaches: each shared one in every target.
        """
        targets, pools = self.arrays.targets, self.arrays.pools
        ready = (pools.logged_in * pools.slots - pools.staying).astype(np.float64)
        busy = pools.staying.astype(np.float64)
        is_shared = self.is_shared
        return CycleInput(
            elapsed_s=elapsed_s,
            accepted=targets.accepted.copy(),
            abandoned=targets.abandoned.copy(),
            reactive_arrived=self._sees @ targets.reactive_arrived,
            reactive_abandoned=self._sees @ targets.reactive_abandoned,
            served=self._reach @ pools.served,
            waiting=self._sees @ targets.waiting,
            ready=None if is_shared else ready,
            busy=None if is_shared else busy,
            pending=targets.pending.copy(),
            sent=targets.sent.copy(),
            resolved=targets.resolved.copy(),
            pool_ready=ready if is_shared else None,
            pool_busy=busy if is_shared else None,
        )

    def totals(self) -> Totals:
        """Sums since the start of the day, rows as in TARGET_TOTALS and SITE_TOTALS."""
        targets, pools = self.arrays.targets, self.arrays.pools
        sums = [getattr(targets, name).astype(np.float64) for name in TARGET_TOTALS]
        sites = int(self.site_first[-1])
        per_site = [
            np.bincount(self._pool_site, weights=getattr(pools, name), minlength=sites)
            for name in SITE_TOTALS
        ]
        return Totals(np.stack(sums), np.stack(per_site))

    def _blocks(self, of_cell: Callable[[Cell], NDArray[np.bool_]]) -> sparse.csr_array:
        """What holds within a replication, for all of them."""
        blocks = []
        for part in self.parts:
            blocks += [of_cell(part.cell).astype(np.float64)] * part.count
        return sparse.csr_array(sparse.block_diag(blocks, format="csr"))

    def _per_target(self, value: Callable[[Cell], float]) -> Array:
        return np.concatenate([np.full(p.target_count, float(value(p.cell))) for p in self.parts])


def _starts(sizes: Iterator[int]) -> Counts:
    return np.array([0, *accumulate(sizes)], dtype=np.int64)

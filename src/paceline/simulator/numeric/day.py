"""One day of many replications under one pacer: the loop, and what is written down of it.

Called by replicate.py. All cells of a batch share cycle length, hours and faults, since one pacer
steps them all at once; replications do not learn from one another.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.pacer import CycleInput, Pacer
from paceline.simulator.numeric.faults import Faults
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.rule_alone import RULE_ALONE, RuleAlone
from paceline.simulator.numeric.schedule import Schedule, most_agents
from paceline.simulator.numeric.world import Totals, World

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

BUCKET_S: Final = 300.0
"""Length of the stretches of the day that figures and plots are made of."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a part's replications did: sums since the morning at the end of every bucket, first row zero.

    `targets`: (buckets + 1, kinds, replications, targets of a cell); `sites`: (buckets + 1, kinds,
    replications); `permits`: as `targets` without kinds.
    """

    part: Part
    targets: Array
    sites: Array
    permits: Array


class _Book:
    """Writes down the totals at the end of each bucket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: list[tuple[Totals, Array]] = []
        self._permits = np.zeros(world.target_count)
        self._write()

    def note(self, permits: Counts) -> None:
        """After a cycle."""
        self._permits = self._permits + permits
        if self._world.now >= BUCKET_S * len(self._pages) - 1e-6:
            self._write()

    def _write(self) -> None:
        self._pages.append((self._world.totals(), self._permits))

    def days(self) -> list[Day]:
        """Cut what was written down into the parts."""
        world = self._world
        targets = np.stack([page.targets for page, _ in self._pages])
        sites = np.stack([page.sites for page, _ in self._pages])
        permits = np.stack([row for _, row in self._pages])
        found = []
        for number, part in enumerate(world.parts):
            mine = slice(world.target_first[number], world.target_first[number + 1])
            here = slice(world.site_first[number], world.site_first[number + 1])
            shape = (part.count, part.cell.targets)
            own = targets[:, :, mine]
            found.append(
                Day(
                    part,
                    own.reshape(*own.shape[:2], *shape),
                    sites[:, :, here],
                    permits[:, mine].reshape(-1, *shape),
                )
            )
        return found


def simulate(
    parts: list[Part],
    *,
    policy: str,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Day]:
    """Let every replication live through its day.

    Parameters
    ----------
    policy
        One of the pacer's, or `RULE_ALONE` for targets that do not share agents and days without faults.
    progress
        Told the number of targets times cycles that have passed since it was last called.
    """
    first = parts[0].cell
    world = World(parts, seed=seed, most_agents=[most_agents(part.cell) for part in parts])
    schedule = Schedule(parts, seed=seed)
    control = _Control(world, policy, Faults(first.fault), first.period_s)
    book = _Book(world)
    for _ in range(round(3600 * first.hours / first.period_s)):
        schedule.apply(world, world.now)
        permits = control.permits()
        world.pass_cycle(permits, first.period_s)
        book.note(permits)
        progress(world.target_count)
    return book.days()


class _Control:
    """The pacer of all replications, with the faults between it and the world."""

    def __init__(self, world: World, policy: str, faults: Faults, period_s: float) -> None:
        self._world = world
        self._faults = faults
        self._period_s = period_s
        self._elapsed_s = 0.0
        self._alone = None
        if policy == RULE_ALONE:
            self._alone = RuleAlone(goal_percent=world.goals(), period_s=world.periods())
            return
        self._pacer = Pacer(
            [f"target {number}" for number in range(world.target_count)],
            goal_percent=world.goals(),
            period_s=world.periods(),
            reach=world.reach(),
            policy=policy,
        )

    def permits(self) -> Counts:
        """What the engine may send in the cycle that begins now."""
        now, faults = self._world.now, self._faults
        self._elapsed_s += self._period_s
        none = np.zeros(self._world.target_count, dtype=np.int64)
        if faults.happens("master_switch", now, self._period_s):
            self._pacer = Pacer.restore(self._pacer.save())
        if faults.is_on("master_switch", now):
            return none
        reading = faults.heard(self._world.reading(self._elapsed_s), now, self._period_s)
        permits = self._step(reading)
        if faults.happens("duplicate_cycle", now, self._period_s):
            permits = self._step(replace(reading, elapsed_s=0.0))
        return none if faults.is_on("engine_lost", now) else permits

    def _step(self, reading: CycleInput) -> Counts:
        self._elapsed_s = 0.0
        if self._alone is not None:
            return self._alone.permits(reading)
        return self._pacer.step(reading).permits

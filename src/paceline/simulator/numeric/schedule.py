"""What changes during the day: agents, acceptance, patience, reactive customers.

Made by day.py from the cells of a world; applied between two cycles.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from paceline.runtime.chance import Chance
from paceline.simulator.bank_day import START_S, bank_day
from paceline.simulator.numeric.arrays import PATIENCE, Array
from paceline.simulator.numeric.layout import Part, reactive_rate
from paceline.simulator.numeric.scenario import Cell, Change
from paceline.simulator.numeric.world import World


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do at an instant of the day."""

    at_s: float
    do: Callable[[World], None]


class Schedule:
    """All steps of a world's day, in order."""

    def __init__(self, parts: list[Part], *, seed: int) -> None:
        steps = [step for number, part in enumerate(parts) for step in _steps(number, part, seed)]
        self._steps = sorted(steps, key=lambda step: step.at_s)
        self._done = 0

    def apply(self, world: World, now_s: float) -> None:
        """Do what is due."""
        while self._done < len(self._steps) and self._steps[self._done].at_s <= now_s:
            self._steps[self._done].do(world)
            self._done += 1


def most_agents(cell: Cell) -> float:
    """The highest factor on its agents that a cell's day reaches."""
    return max([1.0, *(c.agents_factor for c in cell.change if c.agents_factor is not None)])


def _steps(number: int, part: Part, seed: int) -> Iterator[Step]:
    for change in part.cell.change:
        yield Step(60 * change.at_min, _changing(number, part.cell, change))
    if part.cell.world == "bank":
        yield from _bank_steps(number, part, seed)


def _changing(number: int, cell: Cell, change: Change) -> Callable[[World], None]:
    def do(world: World) -> None:
        targets = world.arrays.targets
        mine = slice(world.target_first[number], world.target_first[number + 1])
        if change.acceptance is not None:
            targets.acceptance[mine] = change.acceptance
        if change.patience_s is not None:
            world.arrays.laws[mine, PATIENCE, 1] = change.patience_s
        if change.visitors_per_s is not None:
            targets.visitors_per_s[mine] = change.visitors_per_s
        if change.reactive_share is not None:
            targets.reactive_rate[mine] = reactive_rate(cell, change.reactive_share)
        if change.agents_factor is not None:
            world.log_in(number, change.agents_factor)

    return do


def _bank_steps(number: int, part: Part, seed: int) -> Iterator[Step]:
    """The bank's arrivals from its 08:00 on, over-dispersed by half hour as they were from day to day."""
    day = bank_day()
    first = START_S // day.interval_s
    per_half_hour = day.dispersion_interval_s // day.interval_s
    means = np.sum([list(counts) for counts in day.arrivals_mean.values()], axis=0)
    means = means * part.cell.reactive_scale
    factors: dict[int, Array] = {}
    for step in range(int(np.ceil(3600 * part.cell.hours / day.interval_s))):
        slot = (first + step) % means.size
        half_hour = (first + step) // per_half_hour
        if half_hour not in factors:
            factors[half_hour] = _factors(part, half_hour, means, seed)
        rates = means[slot] / day.interval_s * factors[half_hour] / part.cell.targets
        yield Step(step * day.interval_s, _receiving(number, np.repeat(rates, part.cell.targets)))


def _factors(part: Part, half_hour: int, means: Array, seed: int) -> Array:
    """A Gamma factor of mean 1 per replication, so that counts have the bank's variance."""
    day = bank_day()
    per_half_hour = day.dispersion_interval_s // day.interval_s
    place = half_hour % len(day.dispersion)
    excess = day.dispersion[place] - 1.0
    mean = float(means[place * per_half_hour : (place + 1) * per_half_hour].sum())
    if excess <= 0.0 or mean <= 0.0:
        return np.ones(part.count)
    chance = Chance(seed)
    names = [
        f"{part.cell.name}, replication {part.first + number}, half hour {half_hour}"
        for number in range(part.count)
    ]
    return np.array([chance.stream(n).gammavariate(mean / excess, excess / mean) for n in names])


def _receiving(number: int, rates: Array) -> Callable[[World], None]:
    def do(world: World) -> None:
        mine = slice(world.target_first[number], world.target_first[number + 1])
        world.arrays.targets.reactive_rate[mine] = rates

    return do

"""Small worlds for tests: one cell, some replications, permits by hand."""

from typing import Any

import numpy as np

from paceline.simulator.numeric.day import Day, simulate
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.schedule import most_agents
from paceline.simulator.numeric.world import World


def part_of(replications: int, first: int = 0, **values: Any) -> Part:
    """A part of a cell of these values."""
    return Part(Cell(**({"name": "test"} | values)), first, replications)


def world_of(*parts: Part, seed: int = 1) -> World:
    """A world in the morning."""
    return World(list(parts), seed=seed, most_agents=[most_agents(part.cell) for part in parts])


def pass_cycles(world: World, cycles: int, permits: int, period_s: float = 5.0) -> None:
    """Let time pass with the same permits for every target in every cycle."""
    counts = np.full(world.target_count, permits, dtype=np.int64)
    for _ in range(cycles):
        world.pass_cycle(counts, period_s)


def day_of(replications: int = 4, policy: str = "position", seed: int = 1, **values: Any) -> Day:
    """A short day under a policy."""
    part = part_of(replications, **({"hours": 1.0, "warm_up_min": 10.0} | values))
    return simulate([part], policy=policy, seed=seed)[0]

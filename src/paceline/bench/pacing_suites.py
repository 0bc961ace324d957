"""The suites that pacing is judged by: the shipped scenarios, variants of the grid, random contact centres.

Read by pacing.py. PACING.md, "Suites" and "Bars", says what each is for.
"""

from collections.abc import Iterator
from math import exp, log
from typing import Final

import msgspec

from paceline.runtime.chance import Chance, Stream
from paceline.simulator.numeric.scenario import SHIPPED, Cell, load, parse

RANDOM_CELLS: Final = 36
"""Random contact centres per world (chosen: the mean ratio is then known to about 0.002)."""
RANDOM_SEED: Final = 20_400
"""Ours, and public: rules are tuned on it; others judge by seeds of their own."""
QUICK_SHARE: Final = 0.1
QUICK_CELLS: Final = 9
"""A quick run takes a tenth of the days and a quarter of the random cells."""

VARIANTS: Final = {
    "e-reactive": """
        title = "World E, 30 % reactive"
        defaults = { world = "E", reactive_share = 0.3 }
        [grid]
        agents = [5, 20, 100]
        """,
    "e-second": """
        title = "World E, T = 1 s"
        defaults = { world = "E", period_s = 1.0 }
        [grid]
        agents = [5, 20, 100]
        """,
    "slots": """
        title = "Several customers per agent"
        defaults = { world = "R" }
        [grid]
        agents = [5, 20, 100]
        slots = [2, 4]
        """,
    "silent": """
        title = "A third of those who give up say nothing"
        defaults = { world = "R", silent_share = 0.33 }
        [grid]
        agents = [5, 20, 100]
        """,
}

SUITES: Final = (*SHIPPED, *VARIANTS, "random-e", "random-r")


def cells_of(suite: str, *, quick: bool) -> list[Cell]:
    """The cells of a suite; a quick run has fewer days, random cells and no 500 agents."""
    if suite in VARIANTS:
        cells = list(parse(VARIANTS[suite]).cells())
    elif suite in SHIPPED:
        cells = list(load(suite).cells())
    else:
        count = QUICK_CELLS if quick else RANDOM_CELLS
        cells = list(random_cells(RANDOM_SEED, count, "E" if suite == "random-e" else "R"))
    return (
        [with_share_of_days(cell, QUICK_SHARE) for cell in cells if cell.agent_count < 500]
        if quick
        else cells
    )


def random_cells(seed: int, count: int, world: str) -> Iterator[Cell]:
    """Contact centres drawn as PACING.md describes the hidden set; the same ones in both worlds."""
    chance = Chance(seed)
    for number in range(1, count + 1):
        stream = chance.stream(f"random cell {number}")
        agents = round(_log_uniform(stream, 4, 120))
        values = {
            "world": world,
            "agents": agents,
            "acceptance": round(_log_uniform(stream, 0.08, 0.8), 3),
            "response_s": round(stream.uniform(5, 30), 1),
            "service_s": round(_log_uniform(stream, 100, 900)),
            "patience_s": round(_log_uniform(stream, 15, 240)),
            "reactive_share": round(stream.uniform(0.0, 0.6), 2),
            "period_s": stream.choice((2.0, 5.0, 10.0)),
            "goal_percent": stream.choice((1.0, 3.0, 5.0)),
            "replications": 60 if agents < 10 else 40,
        }
        name = f"{number}: N={agents} p={values['acceptance']} goal={values['goal_percent']:g}"
        yield msgspec.convert(values | {"name": name}, type=Cell)


def with_share_of_days(cell: Cell, share: float) -> Cell:
    """The cell with this share of its days, 2 at least."""
    days = max(2, round(share * cell.replication_count))
    return msgspec.structs.replace(cell, replications=days)


def _log_uniform(stream: Stream, low: float, high: float) -> float:
    return exp(stream.uniform(log(low), log(high)))

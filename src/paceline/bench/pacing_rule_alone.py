"""Our utilization beside that of the position rule alone at the same abandonment, cell by cell.

Called by pacing.py for the random suites and the changes during the day (PACING.md, "Bars").
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from paceline.simulator.numeric.figures import Figures, figures
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.rule_alone import RULE_ALONE
from paceline.simulator.numeric.scenario import Cell

LEAST_GOAL: Final = 0.05
MOST_GOAL: Final = 30.0
"""Percent: goals that the second run may have."""
NEAREST: Final = 0.02
FARTHEST: Final = 0.5
"""Runs whose abandonment differs by less than this share of ours are not told apart; beyond both the line goes on
for this many times their distance at most (chosen)."""


class Rival(msgspec.Struct, frozen=True):
    """One cell under the rule alone: at its own goal, and what it reaches at our abandonment."""

    utilization: float
    abandoned: float
    matched_utilization: float


def rivals(
    cells: Sequence[Cell],
    ours: Sequence[Figures],
    *,
    seed: int,
    progress: Callable[[float], None],
) -> list[Rival]:
    """Run the rule at each cell's goal and once more at a goal that should bring our abandonment."""
    first = _played(cells, seed, lambda share: progress(share / 2))
    moved = [
        msgspec.structs.replace(cell, goal_percent=_goal(cell.goal_percent, own, rival))
        for cell, own, rival in zip(cells, ours, first, strict=True)
    ]
    second = _played(moved, seed, lambda share: progress((1 + share) / 2))
    return [
        Rival(
            rival.utilization.value, rival.abandoned.value, _at(own.abandoned.value, rival, other)
        )
        for own, rival, other in zip(ours, first, second, strict=True)
    ]


def _played(cells: Sequence[Cell], seed: int, progress: Callable[[float], None]) -> list[Figures]:
    days = run(cells, policy=RULE_ALONE, seed=seed, progress=progress)
    return [figures(day, RULE_ALONE) for day in days]


def _goal(goal_percent: float, ours: Figures, rival: Figures) -> float:
    """The goal that brings our abandonment if the rule misses every goal by the same factor."""
    wanted = goal_percent * ours.abandoned.value / max(rival.abandoned.value, 1e-6)
    return min(max(wanted, LEAST_GOAL), MOST_GOAL)


def _at(abandoned: float, first: Figures, second: Figures) -> float:
    """Utilization on the line through two runs, at this abandonment."""
    from_, to = first.abandoned.value, second.abandoned.value
    if abs(to - from_) < NEAREST * abandoned:
        return (first.utilization.value + second.utilization.value) / 2
    part = (abandoned - from_) / (to - from_)
    part = min(max(part, -FARTHEST), 1.0 + FARTHEST)
    return first.utilization.value + part * (second.utilization.value - first.utilization.value)

"""Measures pacing policies in the suites of PACING.md: utilization, abandonment, distance to the bound.

Used by `paceline bench pacing`. Policies meet the same visitors: the same seed gives each the same chance.
"""

import statistics
from collections.abc import Callable, Sequence

import msgspec

from paceline.bench.pacing_suites import cells_of
from paceline.simulator.numeric.figures import METHOD, Estimate, Figures, figures
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.study import bounds_of

SIZES = ((1, 9), (10, 29), (30, 120))
"""Classes of the random cells by agents: PACING.md, "Bars"."""
NEAR_GOAL = 1.05
"""Abandonment up to this many times the goal counts as within it: PACING.md, "Bars"."""


class Line(msgspec.Struct, frozen=True):
    """One cell under one policy; `ratio` is its utilization over the bound, where that is known."""

    suite: str
    figures: Figures
    bound: float | None
    ratio: Estimate | None


class Class(msgspec.Struct, frozen=True):
    """Random cells of one size under one policy."""

    suite: str
    policy: str
    agents: str
    cells: int
    utilization: float  # mean
    ratio: float | None  # mean
    worst_ratio: float | None
    within_goal: float  # share of cells


class Report(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    seed: int
    quick: bool
    method: str
    lines: tuple[Line, ...]
    classes: tuple[Class, ...]


def measure(
    suites: Sequence[str],
    policies: Sequence[str],
    *,
    seed: int,
    quick: bool,
    progress: Callable[[float, str], None],
) -> Report:
    """Run every suite under every policy; tells the share done and what is running.

    The cells of all suites run together: those of the same cycle length share a pacer.
    """
    progress(0.0, "cells and their bounds")
    cells = {suite: cells_of(suite, quick=quick) for suite in suites}
    places = [(suite, cell) for suite, own in cells.items() for cell in own]
    bounds = bounds_of([cell for _, cell in places])
    lines: list[Line] = []
    classes: list[Class] = []
    for turn, policy in enumerate(policies):
        days = run(
            [cell for _, cell in places],
            policy=policy,
            seed=seed,
            progress=_part_of(progress, turn, len(policies), policy),
        )
        found = [
            _line(suite, figures(day, policy), bound)
            for (suite, _), day, bound in zip(places, days, bounds, strict=True)
        ]
        lines += found
        for suite in suites:
            if suite.startswith("random"):
                mine = [line for line in found if line.suite == suite]
                classes += _classes(suite, policy, cells[suite], mine)
    return Report(seed, quick, METHOD, tuple(lines), tuple(classes))


def _part_of(
    progress: Callable[[float, str], None], turn: int, policies: int, name: str
) -> Callable[[float], None]:
    """Progress of one policy as progress of the whole."""
    return lambda share: progress((turn + share) / policies, name)


def _line(suite: str, own: Figures, bound: float | None) -> Line:
    return Line(suite, own, bound, _over(own.utilization, bound))


def _over(value: Estimate, bound: float | None) -> Estimate | None:
    if bound is None:
        return None
    return Estimate(value.value / bound, value.low / bound, value.high / bound)


def _classes(suite: str, policy: str, cells: Sequence[Cell], lines: Sequence[Line]) -> list[Class]:
    found = []
    for low, high in SIZES:
        mine = [line for cell, line in zip(cells, lines, strict=True) if low <= cell.agents <= high]
        if not mine:
            continue
        ratios = [line.ratio.value for line in mine if line.ratio is not None]
        within = [line.figures.abandoned.value <= NEAR_GOAL * line.figures.goal for line in mine]
        found.append(
            Class(
                suite,
                policy,
                f"{low}–{high}",
                len(mine),
                statistics.fmean(line.figures.utilization.value for line in mine),
                statistics.fmean(ratios) if ratios else None,
                min(ratios) if ratios else None,
                sum(within) / len(within),
            )
        )
    return found

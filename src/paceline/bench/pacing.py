"""Measures pacing policies in the suites of PACING.md: utilization, abandonment, distance to the bound.

Used by `paceline bench pacing`. Policies meet the same visitors: the same seed gives each the same chance.
"""

import statistics
from collections.abc import Callable, Sequence

import msgspec

from paceline.bench.pacing_rule_alone import Rival, rivals
from paceline.bench.pacing_suites import cells_of, with_share_of_days
from paceline.simulator.numeric.figures import METHOD, Estimate, Figures, figures
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.study import bounds_of

SIZES = ((1, 9), (10, 29), (30, 120))
"""Classes of the random cells by agents: PACING.md, "Bars"."""
NEAR_GOAL = 1.05
"""Abandonment up to this many times the goal counts as within it: PACING.md, "Bars"."""
OURS = "position"
BASELINE_SHARE = 0.25
"""Share of the days, 2 at least, that the other policies take: their distance is far wider than its error."""


class Line(msgspec.Struct, frozen=True):
    """One cell under one policy; `ratio` is its utilization over the bound, where that is known."""

    suite: str
    figures: Figures
    bound: float | None
    ratio: Estimate | None


class AloneClass(msgspec.Struct, frozen=True):
    """The same cells under the position rule alone."""

    ratio: float | None  # mean
    within_goal: float  # share of cells
    relative: float  # mean over cells: our utilization over the rule's at the same abandonment
    worst_relative: float


class Class(msgspec.Struct, frozen=True):
    """Cells of one size in a suite under one policy; `alone` for ours only."""

    suite: str
    policy: str
    agents: str
    cells: int
    utilization: float  # mean
    ratio: float | None  # mean
    worst_ratio: float | None
    within_goal: float  # share of cells
    alone: AloneClass | None = None


class Report(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    seed: int
    quick: bool
    baseline_share: float  # of the days, where the policy is not ours
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
    """Run every suite under every policy; tells the share done and what is running, the bounds first.

    The cells of all suites run together: those of the same cycle length share a pacer.
    """
    cells = {suite: cells_of(suite, quick=quick) for suite in suites}
    places = [(suite, cell) for suite, own in cells.items() for cell in own]
    bounds = bounds_of(
        [cell for _, cell in places],
        solved=lambda done, of: progress(done / of, "bounds of the cells"),
    )
    lines: list[Line] = []
    classes: list[Class] = []
    parts = len(policies) + (2 if OURS in policies and any(map(_is_classed, suites)) else 0)
    turn = 0
    for policy in policies:
        wanted = [cell for _, cell in places]
        if policy != OURS:
            wanted = [with_share_of_days(cell, BASELINE_SHARE) for cell in wanted]
        days = run(
            wanted, policy=policy, seed=seed, progress=_part_of(progress, turn, 1, parts, policy)
        )
        turn += 1
        found = [
            _line(suite, figures(day, policy), bound)
            for (suite, _), day, bound in zip(places, days, bounds, strict=True)
        ]
        lines += found
        mine = [line for line in found if _is_classed(line.suite)]
        own_cells = [cell for suite, cell in places if _is_classed(suite)]
        beside: list[Rival] | None = None
        if policy == OURS and mine:
            told = _part_of(progress, turn, 2, parts, "position rule alone")
            turn += 2
            beside = rivals(own_cells, [line.figures for line in mine], seed=seed, progress=told)
        classes += _classes(policy, own_cells, mine, beside)
    return Report(seed, quick, BASELINE_SHARE, METHOD, tuple(lines), tuple(classes))


def _is_classed(suite: str) -> bool:
    return suite.startswith("random") or suite == "changes"


def _part_of(
    progress: Callable[[float, str], None], turn: int, turns: int, of: int, name: str
) -> Callable[[float], None]:
    """Progress of some turns as progress of the whole."""
    return lambda share: progress((turn + turns * share) / of, name)


def _line(suite: str, own: Figures, bound: float | None) -> Line:
    return Line(suite, own, bound, _over(own.utilization, bound))


def _over(value: Estimate, bound: float | None) -> Estimate | None:
    if bound is None:
        return None
    return Estimate(value.value / bound, value.low / bound, value.high / bound)


def _classes(
    policy: str, cells: Sequence[Cell], lines: Sequence[Line], beside: Sequence[Rival] | None
) -> list[Class]:
    """Cells of each suite by size."""
    found = []
    for suite in dict.fromkeys(line.suite for line in lines):
        for low, high in SIZES:
            mine = [
                number
                for number, (cell, line) in enumerate(zip(cells, lines, strict=True))
                if line.suite == suite and low <= cell.agents <= high
            ]
            if mine:
                own = [lines[number] for number in mine]
                rival = None if beside is None else [beside[number] for number in mine]
                found.append(_class(policy, f"{low}–{high}", own, rival))
    return found


def _class(
    policy: str, agents: str, lines: Sequence[Line], beside: Sequence[Rival] | None
) -> Class:
    ratios = [line.ratio.value for line in lines if line.ratio is not None]
    within = [_is_within(line, line.figures.abandoned.value) for line in lines]
    return Class(
        lines[0].suite,
        policy,
        agents,
        len(lines),
        statistics.fmean(line.figures.utilization.value for line in lines),
        statistics.fmean(ratios) if ratios else None,
        min(ratios) if ratios else None,
        statistics.fmean(within),
        None if beside is None else _alone(lines, beside),
    )


def _alone(lines: Sequence[Line], beside: Sequence[Rival]) -> AloneClass:
    pairs = list(zip(lines, beside, strict=True))
    ratios = [rival.utilization / line.bound for line, rival in pairs if line.bound is not None]
    relative = [line.figures.utilization.value / rival.matched_utilization for line, rival in pairs]
    return AloneClass(
        statistics.fmean(ratios) if ratios else None,
        statistics.fmean(_is_within(line, rival.abandoned) for line, rival in pairs),
        statistics.fmean(relative),
        min(relative),
    )


def _is_within(line: Line, abandoned: float) -> bool:
    return abandoned <= NEAR_GOAL * line.figures.goal

"""A scenario from its name to its figures: what `paceline simulate` shows and prints.

Also what `paceline bench pacing` is made of.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.pacer.pacer import POLICIES
from paceline.simulator.numeric import bound
from paceline.simulator.numeric.figures import METHOD, Figures, figures
from paceline.simulator.numeric.plot import draw
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell, load
from paceline.simulator.numeric.workers import end_with_parent

CASES_WORTH_PROCESSES: Final = 6
"""Fewer bounds are solved sooner than processes start (0.1 to 3 s each up to 100 agents)."""


class Row(msgspec.Struct, frozen=True):
    """A cell's figures; `bound` is the utilization that no policy can pass, where it is known."""

    figures: Figures
    bound: float | None = None


class Study(msgspec.Struct, frozen=True):
    """All cells of a scenario under one policy."""

    title: str
    policy: str
    seed: int
    method: str
    rows: tuple[Row, ...]


def study(
    name: str,
    *,
    policy: str,
    seed: int,
    replications: int | None = None,
    with_bound: bool = False,
    picture: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Study:
    """Simulate a shipped scenario or a file.

    Raises
    ------
    PacelineError
        `not_found`, `invalid_attribute`: scenario, policy or picture.
    """
    if policy not in POLICIES:
        raise PacelineError(
            "invalid_attribute",
            f"no policy '{policy}': use one of {', '.join(POLICIES)}",
            field="policy",
        )
    scenario = load(name)
    cells = scenario.cells()
    days = run(cells, policy=policy, seed=seed, replications=replications, progress=progress)
    bounds = bounds_of(cells) if with_bound else [None] * len(cells)
    rows = [Row(figures(day, policy), limit) for day, limit in zip(days, bounds, strict=True)]
    if picture is not None:
        try:
            draw(days, f"{scenario.title}, policy {policy}", picture)
        except (OSError, ValueError) as failure:
            raise PacelineError(
                "invalid_attribute", f"cannot draw '{picture}': {failure}", field="plot"
            ) from failure
    return Study(scenario.title, policy, seed, METHOD, tuple(rows))


def bounds_of(
    cells: Sequence[Cell], *, solved: Callable[[int, int], None] = lambda _done, _of: None
) -> list[float | None]:
    """The upper bound on utilization of each steady cell of World E, None for the others.

    Each case is solved once, in processes where there are many; `solved` is told after each how many are.
    """
    cases = list(dict.fromkeys(_case(cell) for cell in cells if cell.is_steady))
    found: dict[bound.Cell, float] = {}

    def keep(results: Iterable[bound.Bound]) -> None:
        for case, result in zip(cases, results, strict=True):
            found[case] = result.utilization
            solved(len(found), len(cases))

    cores = len(os.sched_getaffinity(0))
    if cores > 1 and len(cases) >= CASES_WORTH_PROCESSES:
        with ProcessPoolExecutor(
            cores, mp_context=get_context("spawn"), initializer=end_with_parent
        ) as pool:
            keep(pool.map(bound.solve, cases))
    else:
        keep(map(bound.solve, cases))
    return [found[_case(cell)] if cell.is_steady else None for cell in cells]


def _case(cell: Cell) -> bound.Cell:
    return bound.Cell(
        agents=cell.agents,
        acceptance=cell.acceptance,
        response_s=cell.response_s,
        service_s=cell.service_s,
        patience_s=cell.patience_s,
        reactive_per_s=cell.reactive_share * cell.agents / cell.service_s,
        period_s=cell.period_s,
        goal=cell.goal_percent / 100.0,
    )

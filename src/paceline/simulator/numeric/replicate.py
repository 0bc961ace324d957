"""Runs the replications of many cells: grouped under shared pacers, spread over processes, told as they go.

Called by `paceline simulate` and `paceline bench pacing`. Which process runs what changes no figure.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from typing import Final

import numpy as np

from paceline.simulator.numeric.day import Day, simulate
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.workers import end_with_parent

TARGETS_WORTH_A_PROCESS: Final = 300
"""Below this many targets a pacer's step costs the same whatever their number (measured)."""
_TELL_EVERY: Final = 100_000
_LOOK_S: Final = 0.2

_queue: "list[SimpleQueue[int]]" = []


@dataclass(frozen=True, slots=True)
class Work:
    """Parts under one pacer."""

    parts: list[Part]
    places: list[int]  # of their cells
    policy: str
    seed: int

    @property
    def steps(self) -> int:
        """Targets times cycles."""
        first = self.parts[0].cell
        cycles = round(3600 * first.hours / first.period_s)
        return cycles * sum(part.target_count for part in self.parts)


def run(
    cells: Sequence[Cell],
    *,
    policy: str,
    seed: int,
    replications: int | None = None,
    processes: int | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Day]:
    """The day of each cell, all its replications together, in the order of the cells.

    Parameters
    ----------
    replications
        Instead of each cell's own number.
    processes
        None takes one per core this process may use, where the work is worth it; 1 stays in this process.
    progress
        Told the share that is done.
    """
    most = processes or len(os.sched_getaffinity(0))
    works = list(_works(cells, policy, seed, replications, most))
    total = sum(work.steps for work in works)
    done = 0

    def passed(steps: int) -> None:
        nonlocal done
        done += steps
        progress(done / total)

    if most == 1 or len(works) == 1:
        found = [simulate(work.parts, policy=policy, seed=seed, progress=passed) for work in works]
    else:
        found = _spread(works, min(most, len(works)), passed)
    by_cell: list[list[Day]] = [[] for _ in cells]
    for work, days in zip(works, found, strict=True):
        for place, day in zip(work.places, days, strict=True):
            by_cell[place].append(day)
    return [_joined(days) for days in by_cell]


def _works(
    cells: Sequence[Cell], policy: str, seed: int, replications: int | None, processes: int
) -> Iterator[Work]:
    """Cells that one pacer can step together, cut into as many pieces as are worth a process."""

    def kind(place: int) -> tuple[object, ...]:
        cell = cells[place]
        # shared agents apart: the pacer treats all its targets so, which takes longer
        return (cell.period_s, cell.hours, cell.fault, cell.is_shared)

    for _, group in groupby(sorted(range(len(cells)), key=lambda n: repr(kind(n))), key=kind):
        places = list(group)
        counts = [replications or cells[place].replication_count for place in places]
        targets = sum(
            count * cells[place].targets for count, place in zip(counts, places, strict=True)
        )
        pieces = min(processes, max(1, ceil(targets / TARGETS_WORTH_A_PROCESS)))
        for piece in range(pieces):
            cut = [
                (place, count * piece // pieces, count * (piece + 1) // pieces)
                for place, count in zip(places, counts, strict=True)
            ]
            cut = [(place, first, last) for place, first, last in cut if last > first]
            if cut:
                parts = [Part(cells[place], first, last - first) for place, first, last in cut]
                yield Work(parts, [place for place, _, _ in cut], policy, seed)


def _joined(days: list[Day]) -> Day:
    """Pieces of a cell's replications as one."""
    first = days[0].part
    count = sum(day.part.count for day in days)
    return Day(
        Part(first.cell, 0, count),
        np.concatenate([day.targets for day in days], axis=2),
        np.concatenate([day.sites for day in days], axis=2),
        np.concatenate([day.permits for day in days], axis=1),
    )


def _spread(works: list[Work], processes: int, passed: Callable[[int], None]) -> list[list[Day]]:
    context = get_context("spawn")
    queue: SimpleQueue[int] = context.SimpleQueue()
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(queue,)
    ) as pool:
        order = sorted(range(len(works)), key=lambda n: -works[n].steps)  # the longest first
        futures: dict[int, Future[list[Day]]] = {n: pool.submit(_do, works[n]) for n in order}
        waiting = set(futures.values())
        while waiting:
            waiting = wait(waiting, timeout=_LOOK_S).not_done
            while not queue.empty():
                passed(queue.get())
        return [futures[n].result() for n in range(len(works))]


def _begin(queue: "SimpleQueue[int]") -> None:
    """First thing in a new process: where to tell what has been done."""
    end_with_parent()
    _queue.append(queue)


def _do(work: Work) -> list[Day]:
    """One piece, in a process of its own."""
    untold = 0

    def passed(steps: int) -> None:
        nonlocal untold
        untold += steps
        if untold >= _TELL_EVERY:
            _queue[0].put(untold)
            untold = 0

    return simulate(work.parts, policy=work.policy, seed=work.seed, progress=passed)

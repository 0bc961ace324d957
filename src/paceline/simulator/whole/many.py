"""Many rehearsals at once in processes of their own, and the shortest failing prefix of one that failed.

Called by `paceline rehearse --many`. Which process runs what changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from msgspec.structs import replace

from paceline.simulator.whole.plan import Outcome, Plan
from paceline.simulator.whole.run import rehearse

SHORTEST_S = 10.0
"""Durations closer to each other than this are not told apart (chosen)."""


def rehearse_many(plans: Sequence[Plan], jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come; nothing new is begun once whoever asked stops listening."""
    if jobs == 1:
        yield from map(rehearse, plans)
        return
    left = iter(plans)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[Outcome]] = set()
        while True:
            while len(running) < jobs and (plan := next(left, None)) is not None:
                running.add(pool.submit(rehearse, plan))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def shortest_failing(failed: Outcome, tell: Callable[[str], None]) -> Outcome:
    """The failure with the fewest faults first, then the shortest duration, found by bisection.

    A run is repeatable, but a shorter one need not fail: every step keeps one that does.
    """
    failed = _fewest_faults(failed, tell)
    return _shortest(failed, tell)


def _fewest_faults(failed: Outcome, tell: Callable[[str], None]) -> Outcome:
    low, high = -1, failed.faults
    while high - low > 1:
        middle = (low + high) // 2
        found = _again(replace(failed.plan, most_faults=middle), tell)
        if found.failure is None:
            low = middle
        else:
            high, failed = min(middle, found.faults), found
    return failed


def _shortest(failed: Outcome, tell: Callable[[str], None]) -> Outcome:
    low, high = 0.0, failed.plan.duration_s
    if failed.failure is not None:  # nothing after it matters
        high = min(high, failed.failure.at_s)
    while high - low > SHORTEST_S:
        middle = (low + high) / 2
        found = _again(replace(failed.plan, duration_s=middle), tell)
        if found.failure is None:
            low = middle
        else:
            high, failed = middle, found
    return failed


def _again(plan: Plan, tell: Callable[[str], None]) -> Outcome:
    outcome = rehearse(plan)
    verdict = "passes" if outcome.failure is None else f"fails: {outcome.failure.invariant}"
    faults = "all faults" if plan.most_faults is None else f"{plan.most_faults} faults"
    tell(f"{plan.duration_s:.0f} s with {faults} {verdict}")
    return outcome

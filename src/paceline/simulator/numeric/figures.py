"""Figures of a cell's days: utilization, abandonment, their intervals, bad days and bad quarters of an hour.

Called by `paceline simulate` and `paceline bench pacing` with what replicate.py found.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from paceline.simulator.numeric.day import BUCKET_S, Day
from paceline.simulator.numeric.world import SITE_TOTALS, TARGET_TOTALS

Array = NDArray[np.float64]

BAD_DAY_POINTS: Final = 0.5
"""A day is bad when abandonment is this many points above the goal: 3.5 % at goal 3 (PACING.md, "Bars")."""
QUARTER_S: Final = 900.0
HOUR_S: Final = 3600.0
METHOD: Final = (
    "95 % intervals over replications by Student's t; of a pooled share on the residuals of the ratio"
    " (abandoned − share × accepted), as in Cochran, Sampling Techniques, 1977, ch. 6"
)


class Estimate(msgspec.Struct, frozen=True):
    """A value and its 95 % interval; NaN bounds with one replication."""

    value: float
    low: float
    high: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One cell under one policy, the warm-up left out. Shares from 0 to 1."""

    name: str
    policy: str
    replications: int
    goal: float
    utilization: Estimate  # busy slots ÷ slots logged in
    people_utilization: Estimate  # agents with at least one customer ÷ agents logged in
    abandoned: Estimate  # pooled over replications
    abandoned_by_target: tuple[float, ...]
    bad_days: float  # share of days more than half a point above the goal
    worst_quarter: float  # highest abandonment of a quarter of an hour, pooled over replications
    worst_quarter_of_a_day: float  # the mean over replications of each day's highest
    first_hour_abandoned: float  # from the very start, warm-up or not
    first_hour_utilization_ratio: float  # to that of the later hours
    reactive_abandoned: float
    silent: float  # of the accepted ones, left without saying so
    accepted_per_hour: float
    permits_per_hour: float
    sent_per_hour: float


def figures(day: Day, policy: str) -> Figures:
    """What a cell's replications came to."""
    cell = day.part.cell
    begin = round(60 * cell.warm_up_min / BUCKET_S)
    accepted, abandoned = _sum(day, "accepted", begin), _sum(day, "abandoned", begin)
    hours = cell.hours - begin * BUCKET_S / HOUR_S
    goal = cell.goal_percent / 100.0
    quarters = _quarters(day, begin)
    hour = min(round(HOUR_S / BUCKET_S), day.sites.shape[0] - 1)
    later = _utilization(day, hour, None) if hour < day.sites.shape[0] - 1 else np.array([np.nan])
    lost, of = _sum(day, "abandoned", 0, hour), _sum(day, "accepted", 0, hour)
    reactive = _sum(day, "reactive_arrived", begin).sum()
    per_target = day.targets[-1] - day.targets[begin]
    return Figures(
        name=cell.name,
        policy=policy,
        replications=day.part.count,
        goal=goal,
        utilization=_mean(_utilization(day, begin, None)),
        people_utilization=_mean(_utilization(day, begin, None, people=True)),
        abandoned=_ratio(abandoned, accepted),
        abandoned_by_target=tuple(
            _share(per_target[_ABANDONED, :, n].sum(), per_target[_ACCEPTED, :, n].sum())
            for n in range(cell.targets)
        ),
        bad_days=float(np.mean(abandoned > (goal + BAD_DAY_POINTS / 100.0) * accepted)),
        worst_quarter=float(np.max(_shares(*(q.sum(axis=1) for q in quarters)), initial=0.0)),
        worst_quarter_of_a_day=float(np.max(_shares(*quarters), axis=0, initial=0.0).mean()),
        first_hour_abandoned=_share(lost.sum(), of.sum()),
        first_hour_utilization_ratio=float(_utilization(day, 0, hour).mean() / later.mean()),
        reactive_abandoned=_share(_sum(day, "reactive_abandoned", begin).sum(), reactive),
        silent=_share(_sum(day, "silent", begin).sum(), accepted.sum()),
        accepted_per_hour=float(accepted.mean() / hours),
        permits_per_hour=float((day.permits[-1] - day.permits[begin]).sum(axis=1).mean() / hours),
        sent_per_hour=float(_sum(day, "sent", begin).mean() / hours),
    )


_ACCEPTED, _ABANDONED = TARGET_TOTALS.index("accepted"), TARGET_TOTALS.index("abandoned")


def _sum(day: Day, name: str, first: int, last: int = -1) -> Array:
    """Growth of a total between two buckets, per replication."""
    kind = TARGET_TOTALS.index(name)
    grown = day.targets[last, kind] - day.targets[first, kind]
    return np.asarray(grown.sum(axis=-1))


def _utilization(day: Day, first: int, last: int | None, *, people: bool = False) -> Array:
    names = ("busy_people_s", "present_s") if people else ("in_use_s", "slot_s")
    busy, there = (
        day.sites[-1 if last is None else last, SITE_TOTALS.index(name)]
        - day.sites[first, SITE_TOTALS.index(name)]
        for name in names
    )
    return _shares(busy, there)


def _quarters(day: Day, begin: int) -> tuple[Array, Array]:
    """Abandoned and accepted per quarter of an hour and replication."""
    width = round(QUARTER_S / BUCKET_S)
    pages = day.targets[begin::width].sum(axis=-1)
    grown = np.diff(pages, axis=0)
    return grown[:, _ABANDONED], grown[:, _ACCEPTED]


def _shares(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0


def _mean(values: Array) -> Estimate:
    return _around(float(values.mean()), values - values.mean())


def _ratio(part: Array, whole: Array) -> Estimate:
    share = _share(part.sum(), whole.sum())
    mean = max(float(whole.mean()), 1e-12)
    return _around(share, (part - share * whole) / mean)


def _around(value: float, residuals: Array) -> Estimate:
    """Value ± t × standard error of the mean of the residuals."""
    count = residuals.size
    if count < 2:
        return Estimate(value, float("nan"), float("nan"))
    error = float(residuals.std(ddof=1)) / count**0.5
    half = float(stdtrit(count - 1, 0.975)) * error
    return Estimate(value, value - half, value + half)

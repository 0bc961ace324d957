"""Online estimates per target: acceptance, handle time, patience, reactive traffic.

Called once per cycle by the pacer: `learn` takes in the past cycle, `estimate` reads the counts.
Never decides anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import forgetting, gamma_mean, share_bounds
from paceline.pacer.ages import AgeArray, total
from paceline.pacer.changes import CHANGE_SHRINK, jumped
from paceline.pacer.inputs import Readings
from paceline.pacer.invitations import EPSILON, advance, borrow, hazards, learn_invitations
from paceline.pacer.settings import NO_GROUP, Settings
from paceline.pacer.state import PRIOR_HANDLE_S, Array, TargetState

RATE_MEMORY_S: Final = 3600.0
LEAST_RELEASES: Final = 60.0
LEAST_ABANDONS: Final = 30.0
"""Events below which a rate forgets nothing (chosen): an hour of a small crew holds a handful."""
REACTIVE_MEMORY_S: Final = 120.0
REACTIVE_MEMORY: Final = 12.0
"""Reactive arrivals are remembered for 120 s, or for as long as it takes to see this many (chosen)."""
CREW_MEMORY_S: Final = 300.0
"""Of the usual crew (chosen): long beside a cycle, short beside a shift."""
PRIOR_ABANDONS: Final = 3.0
PRIOR_PATIENCE_S: Final = 60.0
"""Memories and patience prior: PACING.md, "The position rule"."""
CREDIT_LIMIT: Final = 4.0
DEBT_LIMIT: Final = 8.0
"""In standard deviations. PACING.md has 12 on both sides; with the fitted margin less corrects enough, and hours
without visitors or a first flood are not paid back for the rest of the day (ADR 15)."""
GROWN_UP_S: Final = 1800.0
"""Decayed seconds, 42 minutes of the clock, over which the bound of a debt grows from an hour's allowance, and up
to which no credit is given (chosen): what a wrong first guess did to a large idle crew took three hours to pay
back, and a careful first half hour was spent as abandonment beyond the goal (ADR 15)."""
REACTIVE_DEBT_LIMIT: Final = 12.0
"""In reactive customers who left: PACING.md, "The position rule"."""
DOUBT: Final = 0.5
LEAST_AIM: Final = 0.7
MOST_AIM: Final = 0.985
DAY_S: Final = 28_800.0
"""How far below the goal to steer, by the abandonments a working day may have: see `aimed_at`."""
GROUP_TRIALS: Final = 10.0
GROUP_ACCEPTANCES: Final = 60.0
"""A prior group counts as this many trials, fading out while a target sees this many acceptances (chosen)."""
_ONE: Final = np.float32(1.0)
_HALF: Final = np.float32(0.5)
_LEAST_ACCEPTANCE: Final = 0.005
"""Below one acceptance in 200 invitations the division by the share would only amplify noise (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """What the rule needs to know; shapes (n,), per second or seconds."""

    acceptance: Array  # share of invitations that will be accepted
    acceptance_low: Array
    acceptance_high: Array
    trials: Array  # effective number of invitations behind the share
    coming: Array  # acceptances expected from what is pending
    coming_variance: Array
    accept_delay_s: Array
    release_rate: Array
    abandon_rate: Array
    reactive_rate: Array
    acceptance_rate: Array  # acceptances per second


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """The invitations' counts of each prior group, summed over its targets; (buckets, groups)."""

    member: NDArray[np.intp]  # (n,), place of each target's group
    counts: tuple[AgeArray, AgeArray, AgeArray]

    @classmethod
    def of(cls, state: TargetState, prior_group: NDArray[np.int64]) -> "GroupCounts | None":
        """Sum up before the cycle is learned from: no target depends on another's turn. None without groups."""
        if not (prior_group != NO_GROUP).any():
            return None
        groups, member = np.unique(prior_group, return_inverse=True)

        def summed(counts: AgeArray) -> AgeArray:
            rows = [np.bincount(member, weights=row, minlength=groups.size) for row in counts]
            sums = np.array(rows, dtype=np.float32)
            sums[:, groups < 0] = 0.0
            return sums

        return cls(
            member,
            (
                summed(state.by_age_accepted),
                summed(state.by_age_resolved),
                summed(state.by_age_exposed),
            ),
        )

    def block(self, part: slice) -> "GroupCounts":
        """Return the view of some targets."""
        return GroupCounts(self.member[part], self.counts)


def learn(
    state: TargetState,
    readings: Readings,
    settings: Settings,
    seen_by_each: Callable[[Array], Array] | None = None,
) -> None:
    """Take in the cycle that has just passed. Changes `state` in place; `readings` must be checked.

    `seen_by_each`, where targets share agents: counts what is each target's own over the queues it reports.
    """
    rate = _wide(state.entered) / np.maximum(state.entered_s, 1.0)
    goal_share = aimed_at(settings.goal_share, rate)
    accepted, is_accepted_known = advance(state, readings, "accepted")
    abandoned, _ = advance(state, readings, "abandoned")
    arrived, _ = advance(state, readings, "reactive_arrived")
    lost, _ = advance(state, readings, "reactive_abandoned")
    served, _ = advance(state, readings, "served")
    _learn_crew(state, readings.elapsed_s)
    learn_invitations(state, readings, accepted, is_accepted_known, settings.period_s)
    left = abandoned + lost
    if seen_by_each is not None:
        left = lost + seen_by_each(abandoned)
    _learn_rates(state, readings, accepted, left, served)
    _learn_reactive(state, readings.elapsed_s, arrived)
    state.seen_acceptances += accepted
    scale = debt_scale(rate, goal_share)
    owed = state.debt + abandoned - goal_share * accepted
    an_hour = goal_share * rate * RATE_MEMORY_S
    young = np.maximum(DEBT_LIMIT * scale * state.entered_s / GROWN_UP_S, an_hour)
    credit = np.where(state.entered_s < GROWN_UP_S, 0.0, CREDIT_LIMIT * scale)
    state.put("debt", np.clip(owed, -credit, np.minimum(young, DEBT_LIMIT * scale)))
    if settings.has_reactive_guard:
        behind = state.reactive_debt + lost - settings.reactive_goal_share * arrived
        state.put("reactive_debt", np.clip(np.nan_to_num(behind), 0.0, REACTIVE_DEBT_LIMIT))


def aimed_at(goal_share: Array, acceptance_rate: Array) -> Array:
    """Share to steer to: goal × n/(n + ½), 70 to 98.5 % of it; n: abandonments a day at the goal.

    Shapes (n,), shares 0–1, acceptances per second. Where a day has few, what is learned of patience and load
    errs by much, and an error costs more abandonment than it saves (ADR 15). Rises with the goal.
    """
    a_day = goal_share * acceptance_rate * DAY_S
    aim = a_day / (a_day + DOUBT)
    return np.asarray(goal_share * np.clip(aim, LEAST_AIM, MOST_AIM))


def debt_scale(acceptance_rate: NDArray[Any], goal_share: Array) -> Array:
    """Standard deviation s of half an hour's abandonments at the goal, at least 1: √(1 + 1800 g a)."""
    return np.asarray(np.sqrt(1.0 + 1800.0 * goal_share * acceptance_rate))


def estimate(state: TargetState, period_s: Array, groups: GroupCounts | None) -> Estimates:
    """Read the counts: A_a = α_a + (1−ρ_a) A_{a+1}, acceptance W = A_0, and the rates."""
    accepted, resolved, exposed = _shared_counts(state, groups)
    accept_share, resolve_share = hazards(accepted, resolved, exposed)
    borrow(accept_share, resolve_share, accepted, resolved)
    later = accept_share[-1] / np.maximum(resolve_share[-1], 1e-3)  # the last age is open-ended
    coming, variance = np.zeros((2, later.size), dtype=np.float32)
    waiting = -_HALF * later  # cycles until acceptance, less half of the one in which each accepts
    buckets = state.grid.bucket.tolist()
    for age in range(len(buckets) - 1, -1, -1):
        bucket = buckets[age]
        expected = state.by_age_pending[age] * later
        coming += expected
        expected *= later
        variance += expected
        stays = _ONE - resolve_share[bucket]
        waiting += later
        waiting *= stays
        later *= stays
        later += accept_share[bucket]
    delay_cycles = waiting + _HALF * later
    share = np.clip(later.astype(np.float64), _LEAST_ACCEPTANCE, 1.0)
    trials = total(resolved).astype(np.float64)  # what is still pending has told nothing yet
    low, high = share_bounds(share, trials)
    return Estimates(
        acceptance=share,
        acceptance_low=low,
        acceptance_high=high,
        trials=trials,
        coming=coming.astype(np.float64),
        coming_variance=np.maximum(coming - variance, 0.0).astype(np.float64),
        accept_delay_s=delay_cycles / share * period_s,
        release_rate=gamma_mean(
            _wide(state.released),
            _wide(state.busy_s),
            prior_events=0.2,
            prior_mean=1.0 / PRIOR_HANDLE_S,
        ),
        abandon_rate=gamma_mean(
            _wide(state.left),
            _wide(state.waiting_s),
            prior_events=PRIOR_ABANDONS,
            prior_mean=1.0 / PRIOR_PATIENCE_S,
        ),
        reactive_rate=_wide(state.reactive) / np.maximum(state.reactive_s, period_s),
        acceptance_rate=_wide(state.entered) / np.maximum(state.entered_s, period_s),
    )


def _wide(column: NDArray[Any]) -> Array:
    return column.astype(np.float64)


def _learn_rates(
    state: TargetState, readings: Readings, accepted: Array, left: Array, served: Array
) -> None:
    """Gamma counts of releases per busy second, abandonments per waiting second, acceptances per second."""
    elapsed_s = readings.elapsed_s
    hourly = np.float32(forgetting(elapsed_s, RATE_MEMORY_S))
    released = np.where(state.released > LEAST_RELEASES, hourly, np.float32(1.0))
    waited = np.where(state.left > LEAST_ABANDONS, hourly, np.float32(1.0))
    for counts, seen, keep in (
        (state.released, served, released),
        (state.busy_s, _mean_level(state.known_busy, readings.busy) * elapsed_s, released),
        (state.left, left, waited),
        (state.waiting_s, _mean_level(state.known_waiting, readings.waiting) * elapsed_s, waited),
        (state.entered, accepted, hourly),
        (state.entered_s, elapsed_s, hourly),
    ):
        np.multiply(counts, keep, out=counts)
        np.add(counts, seen, out=counts, casting="same_kind")


def _mean_level(before: NDArray[Any], now: Array) -> Array:
    """Mean of a level over the cycle (trapezoid); what is unknown at one end is taken from the other."""
    mean: Array = 0.5 * (before + now)
    is_half_known = np.isnan(mean)
    if is_half_known.any():
        first = np.where(np.isnan(before), now, before)
        mean = np.where(is_half_known, np.nan_to_num(np.where(np.isnan(now), before, first)), mean)
    return mean


def _learn_crew(state: TargetState, elapsed_s: float) -> None:
    """Average the agents logged in slowly; what this cycle brings counts from the next one on."""
    seen = np.fmax(state.known_ready + state.known_busy, np.float32(0.0))
    keep = np.where(state.crew > 0.0, forgetting(elapsed_s, CREW_MEMORY_S), 0.0)
    state.put("crew", seen + keep * (state.crew - seen))


def _learn_reactive(state: TargetState, elapsed_s: float, arrived: Array) -> None:
    """Reactive arrivals per second, with its own change detector."""
    rate = state.reactive / np.maximum(state.reactive_s, 1.0)
    memory_s = np.clip(REACTIVE_MEMORY / np.maximum(rate, 1e-9), REACTIVE_MEMORY_S, RATE_MEMORY_S)
    keep = np.exp(-elapsed_s / memory_s).astype(np.float32)
    expected = rate * elapsed_s
    events = state.reactive.copy()
    state.reactive *= keep
    state.reactive += arrived
    state.reactive_s *= keep
    state.reactive_s += elapsed_s
    rang = jumped(state, "reactive", arrived, expected, events)
    if rang.any():
        state.reactive[rang] *= CHANGE_SHRINK
        state.reactive_s[rang] *= CHANGE_SHRINK


def _shared_counts(
    state: TargetState, groups: GroupCounts | None
) -> tuple[AgeArray, AgeArray, AgeArray]:
    """The invitations' counts; a young target in a prior group borrows from its group."""
    own = state.by_age_accepted, state.by_age_resolved, state.by_age_exposed
    if groups is None:
        return own
    fade = np.clip(1.0 - state.seen_acceptances / GROUP_ACCEPTANCES, 0.0, 1.0)
    exposed_sum = groups.counts[2][0][groups.member]
    weight = (GROUP_TRIALS * fade / np.maximum(exposed_sum, EPSILON)).astype(np.float32)
    accepted, resolved, exposed = (
        counts + weight * group[:, groups.member]
        for counts, group in zip(own, groups.counts, strict=True)
    )
    return accepted, resolved, exposed

"""Online estimates per target: acceptance, handle time, patience, reactive traffic.

Called once per cycle by the pacer: `learn` takes in the past cycle, `estimate` reads the counts.
Never decides anything.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import forgetting, gamma_mean, share_bounds
from paceline.pacer.ages import AgeArray
from paceline.pacer.changes import CHANGE_SHRINK, jumped
from paceline.pacer.inputs import Readings
from paceline.pacer.invitations import EPSILON, advance, hazards, learn_invitations
from paceline.pacer.settings import NO_GROUP, Settings
from paceline.pacer.state import PRIOR_HANDLE_S, Array, TargetState

RATE_MEMORY_S: Final = 3600.0
REACTIVE_MEMORY_S: Final = 120.0
PRIOR_ABANDONS: Final = 3.0
PRIOR_PATIENCE_S: Final = 60.0
DEBT_LIMIT: Final = 12.0
"""Memories, patience prior and bound of the debt: PACING.md, "The position rule"."""
GROUP_TRIALS: Final = 10.0
GROUP_ACCEPTANCES: Final = 60.0
"""A prior group counts as this many trials, fading out while a target sees this many acceptances (chosen)."""
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
    pending_mass: Array  # invitations pending in our record
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


def learn(state: TargetState, readings: Readings, settings: Settings) -> None:
    """Take in the cycle that has just passed. Changes `state` in place; `readings` must be checked."""
    goal_share = settings.goal_share
    accepted, is_accepted_known = advance(state, readings, "accepted")
    abandoned, _ = advance(state, readings, "abandoned")
    arrived, _ = advance(state, readings, "reactive_arrived")
    lost, _ = advance(state, readings, "reactive_abandoned")
    served, _ = advance(state, readings, "served")
    learn_invitations(state, readings, accepted, is_accepted_known, settings.period_s)
    left = abandoned + lost
    if settings.pools is not None:
        left = lost + settings.pools.overlap.seen_by_each(abandoned, state.overlap_evidence)
    _learn_rates(state, readings, accepted, left, served)
    _learn_reactive(state, readings.elapsed_s, arrived)
    state.seen_acceptances += accepted
    limit = DEBT_LIMIT * debt_scale(state.entered / np.maximum(state.entered_s, 1.0), goal_share)
    state.put("debt", np.clip(state.debt + abandoned - goal_share * accepted, -limit, limit))
    if settings.has_reactive_guard:
        owed = state.reactive_debt + lost - settings.reactive_goal_share * arrived
        state.put("reactive_debt", np.clip(np.nan_to_num(owed), 0.0, DEBT_LIMIT))


def debt_scale(acceptance_rate: NDArray[Any], goal_share: Array) -> Array:
    """Standard deviation s of half an hour's abandonments at the goal, at least 1: √(1 + 1800 g a)."""
    return np.asarray(np.sqrt(1.0 + 1800.0 * goal_share * acceptance_rate))


def estimate(state: TargetState, period_s: Array, groups: GroupCounts | None) -> Estimates:
    """Read the counts: A_a = α_a + (1−ρ_a) A_{a+1}, acceptance W = A_0, and the rates."""
    accepted, resolved, exposed = _shared_counts(state, groups)
    accept_share, resolve_share = hazards(accepted, resolved, exposed)
    later = accept_share[-1] / np.maximum(resolve_share[-1], 1e-3)  # the last age is open-ended
    stays_share: AgeArray = np.float32(1.0) - resolve_share
    delay_cycles, coming, variance, mass = np.zeros((4, later.size), dtype=np.float32)
    for age in range(state.grid.age_count - 1, -1, -1):
        bucket = state.grid.bucket[age]
        pending = state.by_age_pending[age]
        expected = pending * later
        coming += expected
        expected *= later
        variance += expected
        mass += pending
        delay_cycles += later
        delay_cycles *= stays_share[bucket]
        later = later * stays_share[bucket]
        later += accept_share[bucket]
        np.minimum(later, np.float32(1.0), out=later)
        delay_cycles += np.float32(0.5) * accept_share[bucket]
    share = np.clip(later.astype(np.float64), _LEAST_ACCEPTANCE, 1.0)
    trials = exposed[0].astype(np.float64)
    low, high = share_bounds(share, trials)
    return Estimates(
        acceptance=share,
        acceptance_low=low,
        acceptance_high=high,
        trials=trials,
        coming=coming.astype(np.float64),
        coming_variance=np.maximum(coming - variance, 0.0).astype(np.float64),
        pending_mass=mass.astype(np.float64),
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
    keep = np.float32(forgetting(elapsed_s, RATE_MEMORY_S))
    for counts, seen in (
        (state.released, served),
        (state.busy_s, _mean_level(state.known_busy, readings.busy) * elapsed_s),
        (state.left, left),
        (state.waiting_s, _mean_level(state.known_waiting, readings.waiting) * elapsed_s),
        (state.entered, accepted),
        (state.entered_s, elapsed_s),
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


def _learn_reactive(state: TargetState, elapsed_s: float, arrived: Array) -> None:
    """Reactive arrivals per second, with its own change detector."""
    keep = np.float32(forgetting(elapsed_s, REACTIVE_MEMORY_S))
    expected = state.reactive / np.maximum(state.reactive_s, 1.0) * elapsed_s
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

"""One cycle's decision: what the policy permits, what the goal adds, what the guards take away.

Called by `Pacer.step` for all targets at once or, where none share agents, block by block.
Never learns; the only thing it changes in the state is a policy's own remembered number.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import ONE_SIDED_80, share_bounds
from paceline.pacer import classical_policies, position
from paceline.pacer.estimators import Estimates, aimed_at, debt_scale
from paceline.pacer.guards import MOST_PERMITS, Levels, verdict
from paceline.pacer.inputs import CycleOutput
from paceline.pacer.progressive import progressive_permits
from paceline.pacer.reasons import PermitReason
from paceline.pacer.settings import Settings
from paceline.pacer.sharing import Sharing
from paceline.pacer.state import PRIOR_TRIALS, Array, TargetState

Reasons = NDArray[np.uint8]

COLD_CREW: Final = 0.3
"""Acceptances per agent below which a target is cold, beside `pacing.minSample` (chosen): an idle crew of 70 was
sent twice what it could serve before 20 had accepted."""
COLD_EXTRA: Final = 1.2
COLD_TRIALS: Final = 2.0
"""With nothing seen: standard deviations beyond the 80 % bound, and the built-in prior's weight (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """All that a decision looks at; arrays (n,)."""

    settings: Settings
    state: TargetState
    levels: Levels
    known: Estimates
    sharing: Sharing | None  # None where no target shares agents
    policy: str
    min_sample: int


@dataclass(frozen=True, slots=True, eq=False)
class Safety:
    """Standard deviations kept back; shapes (n,)."""

    margin: Array
    shift: Array  # added by feedback
    z: Array  # both together, held to their range


def decide(at: Situation) -> CycleOutput:
    """Let the policy speak, then the goal's limits, then the guards."""
    cautious = _cautious(at)
    aim = aimed_at(at.settings.goal_share, at.known.acceptance_rate)
    place = position.position_of(_crew(at), at.known, at.settings.period_s, aim)
    shift = _feedback(at)
    margin = position.safety_margin(place, at.known, aim)
    safety = Safety(margin, shift, position.corrected(margin, shift))
    if at.policy == "progressive":
        permits = cautious
        reason = np.full(cautious.size, PermitReason.PROGRESSIVE, dtype=np.uint8)
    else:
        permits, reason = _chosen(at, place, safety, cautious)
        permits, reason = _at_the_ends(at.settings.goal_percent, permits, reason, cautious)
    granted, reason = verdict(at.state, at.levels, at.settings.period_s, permits, reason, cautious)
    return CycleOutput(
        permits=granted,
        reason=reason,
        slack=place.slack,
        safety=safety.z,
        acceptance=at.known.acceptance,
        acceptance_low=at.known.acceptance_low,
        acceptance_high=at.known.acceptance_high,
        patience_s=1.0 / at.known.abandon_rate,
        handle_time_s=1.0 / at.known.release_rate,
        debt=at.state.debt.astype(np.float64),
        abandonment_forecast=position.forecast(place, at.known, granted * at.known.acceptance),
    )


def _chosen(
    at: Situation, place: position.Position, safety: Safety, cautious: Array
) -> tuple[Array, Reasons]:
    """What a forecasting policy permits, and why."""
    if at.policy == "position":
        return _position_permits(at, place, safety, cautious)
    choice = _classical(at)
    at.state.put("policy_level", choice.level)
    reason = np.full(choice.permits.size, PermitReason.FORECAST, dtype=np.uint8)
    if at.policy in ("naive", "ratio"):
        reason[:] = PermitReason.MULTIPLE
    is_none = choice.permits <= 0.0
    if at.policy == "queueing_rate":
        is_none &= choice.level <= 0.0  # else a part of an invitation is carried over
    np.putmask(reason, is_none, PermitReason.NO_CAPACITY_LEFT)
    if at.policy == "ratio":
        np.putmask(reason, is_none & (at.state.debt > 0.0), PermitReason.OVER_GOAL)
    return choice.permits, reason


def _classical(at: Situation) -> classical_policies.Choice:
    levels, period_s = at.levels, at.settings.period_s
    if at.sharing is not None:
        levels = at.sharing.levels(levels)
    goal_share = at.settings.goal_percent / 100.0
    if at.policy == "naive":
        return classical_policies.naive(levels, at.known)
    if at.policy == "super_progressive":
        return classical_policies.super_progressive(levels, at.known, goal_share)
    carried = at.state.policy_level.astype(np.float64)
    if at.policy == "queueing_rate":
        goal_share = np.minimum(goal_share, 0.99)
        return classical_policies.queueing_rate(levels, at.known, goal_share, period_s, carried)
    level = np.maximum(carried, classical_policies.LOWEST_LEVEL)
    return classical_policies.ratio(levels, period_s, at.state.debt, level)


def _at_the_ends(
    goal_percent: Array, permits: Array, reason: Reasons, cautious: Array
) -> tuple[Array, Reasons]:
    """Goal 0 is progressive, goal 100 has no limit."""
    is_zero, is_free = goal_percent == 0.0, goal_percent == 100.0
    if not (is_zero | is_free).any():
        return permits, reason
    permits = np.where(is_zero, cautious, np.where(is_free, float(MOST_PERMITS), permits))
    reason = np.where(is_zero, np.uint8(PermitReason.GOAL_ZERO), reason)
    return permits, np.where(is_free, np.uint8(PermitReason.NO_LIMIT), reason)


def _feedback(at: Situation) -> Array:
    """Shift of the safety margin for the goal's debt, and the same for reactive traffic left behind."""
    settings, state = at.settings, at.state
    scale = debt_scale(at.known.acceptance_rate, settings.goal_share)
    own = position.feedback(state.debt, scale)
    if not settings.has_reactive_guard:
        return own
    is_guarded = ~np.isnan(settings.reactive_goal_percent)
    reactive_share = np.nan_to_num(settings.reactive_goal_share)
    reactive_scale = debt_scale(at.known.reactive_rate, reactive_share)
    reactive = position.feedback(state.reactive_debt, reactive_scale)
    return np.asarray(own + np.where(is_guarded, reactive, 0.0))


def _crew(at: Situation) -> position.Crew:
    """Agents and work of a target alone, or of all targets that share agents with it."""
    levels, known = at.levels, at.known
    alone = position.Crew(
        ready=levels.ready,
        busy=levels.busy,
        usual=at.state.crew.astype(np.float64),
        waiting=levels.waiting,
        reactive_rate=known.reactive_rate,
        coming=known.coming,
        coming_variance=known.coming_variance,
    )
    return alone if at.sharing is None else at.sharing.crew(alone, known, at.settings.period_s)


def _cautious(at: Situation) -> Array:
    """max(0, R − Q − K), shared agents split so that each counts once."""
    levels = at.levels
    if at.sharing is not None:
        return at.sharing.cautious(levels)
    return progressive_permits(levels.ready, levels.waiting, levels.pending)


def _position_permits(
    at: Situation, place: position.Position, safety: Safety, cautious: Array
) -> tuple[Array, Reasons]:
    """Permits of the position rule with the reason of each."""
    known = at.known
    wanted, is_shared = _wanted(at, place, safety.z)
    permits = position.invitations(wanted, known.acceptance)
    reason = np.full(permits.size, PermitReason.FORECAST, dtype=np.uint8)
    needed = np.maximum(COLD_CREW * at.state.crew, float(at.min_sample))
    is_cold = at.state.seen_acceptances < needed
    if is_cold.any():
        high = _highest_acceptance(at, needed)
        sure = np.maximum(wanted - known.coming * (high / known.acceptance - 1.0), 0.0)
        capped = np.minimum(permits, position.invitations(sure, high))
        permits = np.where(is_cold, capped, permits)
        np.putmask(reason, is_cold, PermitReason.COLD_START)
    permits = np.maximum(permits, _certain(at, cautious, safety.z))
    np.putmask(reason, is_shared, PermitReason.SHARED_AGENTS)
    is_none = permits <= 0.0
    np.putmask(reason, is_none, PermitReason.NO_CAPACITY_LEFT)
    is_held = is_none & (safety.shift > 0.0)
    if is_held.any():
        _explain_held(at, place, safety, is_held, reason)
    return permits, reason


def _highest_acceptance(at: Situation, needed: Array) -> Array:
    """Upper bound of acceptance on little evidence: 98 % with nothing seen, 80 % with `needed` acceptances.

    Of the built-in prior only two trials count: true acceptance spreads far wider than it says.
    """
    missing = np.clip(1.0 - at.state.seen_acceptances / np.maximum(needed, 1.0), 0.0, 1.0)
    quantile = ONE_SIDED_80 + COLD_EXTRA * missing
    trials = np.maximum(at.known.trials - (PRIOR_TRIALS - COLD_TRIALS), 1.0)
    return share_bounds(at.known.acceptance, trials, quantile)[1]


def _certain(at: Situation, cautious: Array, z: Array) -> Array:
    """Invitations that nobody waits for even if all accept: progressive, less what reactive traffic may take.

    Whatever the goal, it costs nothing to send them; in small crews the rule alone would hold some back.
    """
    taken = at.known.reactive_rate * position.lead_s(at.known, at.settings.period_s)
    left = cautious - taken - np.maximum(z, 0.0) * np.sqrt(taken)
    return np.asarray(np.floor(left + position.ROUNDING))


def _explain_held(
    at: Situation,
    place: position.Position,
    safety: Safety,
    is_held: NDArray[np.bool_],
    reason: Reasons,
) -> None:
    """Name the feedback where it alone took the permits away, whoever of those that share agents gets them."""
    z = position.corrected(safety.margin, np.minimum(safety.shift, 0.0))
    would = position.acceptances_wanted(place, at.known, z)
    is_guilty = is_held & (position.invitations(would, at.known.acceptance) > 0.0)
    is_reactive = at.state.reactive_debt > np.maximum(at.state.debt, 0.0)
    np.putmask(reason, is_guilty & is_reactive, PermitReason.REACTIVE_GUARD)
    np.putmask(reason, is_guilty & ~is_reactive, PermitReason.OVER_GOAL)


def _wanted(at: Situation, place: position.Position, z: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Acceptances to aim at, and where sharing agents made them fewer."""
    known = at.known
    wanted = position.acceptances_wanted(place, known, z)
    if at.sharing is None:
        return wanted, np.zeros(wanted.size, dtype=np.bool_)
    return at.sharing.given(wanted, place.on_the_way, known)

"""One cycle's decision: what the policy permits, what the goal adds, what the guards take away.

Called by `Pacer.step` for all targets at once or, where none share agents, block by block.
Never learns; the only thing it changes in the state is a policy's own remembered number.
"""

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from paceline.pacer import classical_policies, position
from paceline.pacer.estimators import Estimates, debt_scale
from paceline.pacer.guards import MOST_PERMITS, Levels, verdict
from paceline.pacer.inputs import CycleOutput
from paceline.pacer.pools import Pools
from paceline.pacer.progressive import progressive_permits
from paceline.pacer.reasons import PermitReason
from paceline.pacer.settings import Settings
from paceline.pacer.state import Array, TargetState

Reasons = NDArray[np.uint8]
Columns = TypeVar("Columns", Estimates, position.Position)


@dataclass(frozen=True, slots=True, eq=False)
class SharedAgents:
    """The pools of agents as last known; 0 where never known."""

    pools: Pools
    ready: Array  # (m,)
    busy: Array


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """All that a decision looks at; arrays (n,)."""

    settings: Settings
    state: TargetState
    levels: Levels
    known: Estimates
    shared: SharedAgents | None
    policy: str
    min_sample: int


def decide(at: Situation) -> CycleOutput:
    """Let the policy speak, then the goal's limits, then the guards."""
    cautious = _cautious(at)
    place = position.position_of(_crew(at, is_pooled=True), at.known, at.settings.period_s)
    shift = _feedback(at)
    z = position.safety_margin(place, at.known, at.settings.goal_share, shift)
    if at.policy == "progressive":
        permits = cautious
        reason = np.full(cautious.size, PermitReason.PROGRESSIVE, dtype=np.uint8)
    else:
        permits, reason = _chosen(at, place, z, shift, cautious)
        permits, reason = _at_the_ends(at.settings.goal_percent, permits, reason, cautious)
    granted, reason = verdict(at.state, at.levels, at.settings.period_s, permits, reason, cautious)
    return CycleOutput(
        permits=granted,
        reason=reason,
        slack=place.slack,
        safety=z,
        acceptance=at.known.acceptance,
        acceptance_low=at.known.acceptance_low,
        acceptance_high=at.known.acceptance_high,
        patience_s=1.0 / at.known.abandon_rate,
        handle_time_s=1.0 / at.known.release_rate,
        debt=at.state.debt.astype(np.float64),
        abandonment_forecast=position.forecast(place, at.known, granted * at.known.acceptance),
    )


def _chosen(
    at: Situation, place: position.Position, z: Array, shift: Array, cautious: Array
) -> tuple[Array, Reasons]:
    """What a forecasting policy permits, and why."""
    if at.policy == "position":
        return _position_permits(at, place, z, shift, cautious)
    choice = _classical(at)
    at.state.put("policy_level", choice.level)
    reason = np.full(choice.permits.size, PermitReason.FORECAST, dtype=np.uint8)
    if at.policy in ("naive", "ratio"):
        reason[:] = PermitReason.MULTIPLE
    is_none = choice.permits <= 0.0
    if at.policy == "queueing_rate":
        is_none &= choice.level <= 0.0  # else a part of an invitation is carried over
    reason[is_none] = PermitReason.NO_CAPACITY_LEFT
    if at.policy == "ratio":
        reason[is_none & (at.state.debt > 0.0)] = PermitReason.OVER_GOAL
    return choice.permits, reason


def _classical(at: Situation) -> classical_policies.Choice:
    levels, period_s = at.levels, at.settings.period_s
    if at.shared is not None:
        pools = at.shared.pools
        levels = replace(
            levels,
            ready=pools.fair_parts(at.shared.ready),
            busy=pools.fair_parts(at.shared.busy),
        )
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
    """Shift of the safety margin: 0.3 Y/s for the goal, and the same for reactive traffic left behind."""
    settings, state = at.settings, at.state
    scale = debt_scale(at.known.acceptance_rate, settings.goal_share)
    own: Array = position.FEEDBACK_GAIN * state.debt / scale
    if not settings.has_reactive_guard:
        return own
    is_guarded = ~np.isnan(settings.reactive_goal_percent)
    reactive_share = np.nan_to_num(settings.reactive_goal_share)
    reactive_scale = debt_scale(at.known.reactive_rate, reactive_share)
    reactive = position.FEEDBACK_GAIN * state.reactive_debt / reactive_scale
    return np.asarray(own + np.where(is_guarded, reactive, 0.0))


def _crew(at: Situation, *, is_pooled: bool) -> position.Crew:
    """Agents and work of a target alone, or of all targets that share agents with it."""
    levels, known = at.levels, at.known
    if at.shared is None or not is_pooled:
        return position.Crew(
            ready=levels.ready,
            busy=levels.busy,
            waiting=levels.waiting,
            reactive_rate=known.reactive_rate,
            coming=known.coming,
            coming_variance=known.coming_variance,
        )
    pools = at.shared.pools
    return position.Crew(
        ready=pools.agents_together(at.shared.ready),
        busy=pools.agents_together(at.shared.busy),
        waiting=_once(at, levels.waiting),
        reactive_rate=_once(at, known.reactive_rate),
        coming=pools.together(known.coming),
        coming_variance=pools.together(known.coming_variance),
    )


def _once(at: Situation, reported: Array) -> Array:
    """Add up over the targets that share agents, what several of them report counted once."""
    if at.shared is None:
        return reported
    pools = at.shared.pools
    return pools.overlap.once(reported, pools.together(reported), at.state.overlap_evidence)


def _cautious(at: Situation) -> Array:
    """max(0, R − Q − K), shared agents split so that each counts once."""
    levels = at.levels
    alone = progressive_permits(levels.ready, levels.waiting, levels.pending)
    if at.shared is None:
        return alone
    pools = at.shared.pools
    ready = pools.agents_together(at.shared.ready)
    together = progressive_permits(ready, _once(at, levels.waiting), pools.together(levels.pending))
    share = pools.fair_shares(at.shared.ready)
    return np.asarray(np.floor(pools.split(together, alone, share, levels.pending) + 1e-9))


def _position_permits(
    at: Situation, place: position.Position, z: Array, shift: Array, cautious: Array
) -> tuple[Array, Reasons]:
    """Permits of the position rule with the reason of each."""
    known = at.known
    wanted, is_shared = _wanted(at, place, z)
    permits = position.invitations(wanted, known.acceptance)
    reason = np.full(permits.size, PermitReason.FORECAST, dtype=np.uint8)
    is_cold = at.state.seen_acceptances < at.min_sample
    if is_cold.any():
        high = known.acceptance_high
        sure = np.maximum(wanted - known.coming * (high / known.acceptance - 1.0), 0.0)
        capped = np.minimum(permits, position.invitations(sure, high))
        permits = np.where(is_cold, capped, permits)
        reason[is_cold] = PermitReason.COLD_START
    permits = np.maximum(permits, _certain(at, cautious, z))
    reason[is_shared] = PermitReason.SHARED_AGENTS
    is_none = permits <= 0.0
    reason[is_none] = PermitReason.NO_CAPACITY_LEFT
    is_held = is_none & (shift > 0.0)
    if is_held.any():
        _explain_held(at, place, shift, is_held, reason)
    return permits, reason


def _certain(at: Situation, cautious: Array, z: Array) -> Array:
    """Invitations that nobody waits for even if all accept: progressive, less what reactive traffic may take.

    Whatever the goal, it costs nothing to send them; in small crews the rule alone would hold some back.
    """
    lead_s = at.known.accept_delay_s + at.settings.period_s / 2.0
    taken = at.known.reactive_rate * lead_s
    left = cautious - taken - np.maximum(z, 0.0) * np.sqrt(taken)
    return np.asarray(np.floor(left + position.ROUNDING))


def _explain_held(
    at: Situation,
    place: position.Position,
    shift: Array,
    is_held: NDArray[np.bool_],
    reason: Reasons,
) -> None:
    """Name the feedback where it alone took the permits away."""
    rows = np.flatnonzero(is_held)
    if at.shared is None:
        known, held = _rows(at.known, rows), _rows(place, rows)
        goal_share, lighter = at.settings.goal_share[rows], np.minimum(shift[rows], 0.0)
        z = position.safety_margin(held, known, goal_share, lighter)
        would = position.acceptances_wanted(held, known, z)
    else:
        known = _rows(at.known, rows)
        lighter = np.minimum(shift, 0.0)
        z = position.safety_margin(place, at.known, at.settings.goal_share, lighter)
        would = _wanted(at, place, z)[0][rows]
    guilty = rows[position.invitations(would, known.acceptance) > 0.0]
    is_reactive = at.state.reactive_debt[guilty] > np.maximum(at.state.debt[guilty], 0.0)
    reason[guilty] = np.where(is_reactive, PermitReason.REACTIVE_GUARD, PermitReason.OVER_GOAL)


def _rows(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """Some targets of a dataclass of columns."""
    names = [field.name for field in fields(columns)]
    return replace(columns, **{name: getattr(columns, name)[rows] for name in names})


def _wanted(at: Situation, place: position.Position, z: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Acceptances to aim at, and where sharing agents made them fewer."""
    known = at.known
    wanted = position.acceptances_wanted(place, known, z)
    if at.shared is None:
        return wanted, np.zeros(wanted.size, dtype=np.bool_)
    pools = at.shared.pools
    own = position.position_of(_crew(at, is_pooled=False), known, at.settings.period_s)
    alone = position.acceptances_wanted(own, known, z)
    share = pools.fair_shares(at.shared.ready + at.shared.busy)
    given = pools.split(wanted, alone, share, known.coming)
    fewer = position.invitations(given, known.acceptance) < position.invitations(
        alone, known.acceptance
    )
    return given, fewer

"""Online estimates per target: fate of an invitation by its age, handle time, patience, reactive traffic.

Called once per cycle by the pacer: `learn` takes in the past cycle, `estimate` reads the counts.
Never decides anything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import cusum, forgetting, gamma_mean, share_bounds
from paceline.pacer.inputs import Readings, increase
from paceline.pacer.state import PRIOR_HANDLE_S, AgeArray, Array, TargetState

ACCEPTANCE_MEMORY: Final = 120.0
RATE_MEMORY_S: Final = 3600.0
REACTIVE_MEMORY_S: Final = 120.0
PRIOR_ABANDONS: Final = 3.0
PRIOR_PATIENCE_S: Final = 60.0
CHANGE_SHRINK: Final = 0.1
DEBT_LIMIT: Final = 12.0
"""Memories, patience prior, shrink after a jump and bound of the debt: PACING.md, "The position rule"."""
BLOCK_EXPECTED: Final = 4.0
"""Events per step of the change detector (chosen): single cycles with 0.1 expected events would ring by chance."""
GROUP_TRIALS: Final = 10.0
GROUP_ACCEPTANCES: Final = 60.0
"""A prior group counts as this many trials, fading out while a target sees this many acceptances (chosen)."""
_LEAST_ACCEPTANCE: Final = 0.005
"""Below one acceptance in 200 invitations the division by the share would only amplify noise (chosen)."""
_EPSILON: Final = 1e-6

Flags = NDArray[np.bool_]


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


def learn(
    state: TargetState,
    readings: Readings,
    goal_share: Array,
    reactive_goal_share: Array,
    period_s: Array,
) -> None:
    """Take in the cycle that has just passed. Changes `state` in place; `readings` must be checked."""
    accepted, is_accepted_known = _advance(state, readings, "accepted")
    abandoned, _ = _advance(state, readings, "abandoned")
    arrived, _ = _advance(state, readings, "reactive_arrived")
    lost, _ = _advance(state, readings, "reactive_abandoned")
    served, _ = _advance(state, readings, "served")
    _learn_invitations(state, readings, accepted, is_accepted_known, period_s)
    _learn_rates(state, readings, accepted, abandoned + lost, served)
    _learn_reactive(state, readings, arrived)
    state.seen_acceptances += accepted
    limit = DEBT_LIMIT * debt_scale(state.entered / np.maximum(state.entered_s, 1.0), goal_share)
    state.debt = np.clip(state.debt + abandoned - goal_share * accepted, -limit, limit)
    owed = np.nan_to_num(state.reactive_debt + lost - reactive_goal_share * arrived)
    state.reactive_debt = np.clip(owed, 0.0, DEBT_LIMIT)


def debt_scale(acceptance_rate: Array, goal_share: Array) -> Array:
    """Standard deviation s of half an hour's abandonments at the goal, at least 1: √(1 + 1800 g a)."""
    return np.sqrt(1.0 + 1800.0 * goal_share * acceptance_rate)


def estimate(
    state: TargetState, period_s: Array, prior_group: NDArray[np.int64] | None
) -> Estimates:
    """Read the counts: A_a = α_a + (1−ρ_a) A_{a+1}, acceptance W = A_0, and the rates."""
    accepted, resolved, exposed = _shared_counts(state, prior_group)
    accept_share, resolve_share = _hazards(accepted, resolved, exposed)
    later = accept_share[-1] / np.maximum(resolve_share[-1], 1e-3)  # the last age is open-ended
    delay_cycles = np.zeros_like(later)
    coming = np.zeros_like(later)
    variance = np.zeros_like(later)
    for age in range(accept_share.shape[0] - 1, -1, -1):
        pending = state.by_age_pending[age]
        coming += pending * later
        variance += pending * later * (1.0 - later)
        stays = 1.0 - resolve_share[age]
        delay_cycles = 0.5 * accept_share[age] + stays * (delay_cycles + later)
        later = np.minimum(accept_share[age] + stays * later, 1.0)
    share = np.clip(later.astype(np.float64), _LEAST_ACCEPTANCE, 1.0)
    trials = exposed[0].astype(np.float64)
    low, high = share_bounds(share, trials)
    return Estimates(
        acceptance=share,
        acceptance_low=low,
        acceptance_high=high,
        trials=trials,
        coming=coming.astype(np.float64),
        coming_variance=np.maximum(variance.astype(np.float64), 0.0),
        pending_mass=state.by_age_pending.sum(axis=0, dtype=np.float64),
        accept_delay_s=delay_cycles / share * period_s,
        release_rate=gamma_mean(
            state.released, state.busy_s, prior_events=0.2, prior_mean=1.0 / PRIOR_HANDLE_S
        ),
        abandon_rate=gamma_mean(
            state.left,
            state.waiting_s,
            prior_events=PRIOR_ABANDONS,
            prior_mean=1.0 / PRIOR_PATIENCE_S,
        ),
        reactive_rate=state.reactive / np.maximum(state.reactive_s, period_s),
        acceptance_rate=state.entered / np.maximum(state.entered_s, period_s),
    )


def _advance(state: TargetState, readings: Readings, name: str) -> tuple[Array, Flags]:
    """Growth of one cumulative count; remembers its new value."""
    now: Array = getattr(readings, name)
    previous: Array = getattr(state, f"last_{name}")
    growth, is_known = increase(previous, now)
    setattr(state, f"last_{name}", np.where(np.isnan(now), previous, now))
    return growth, is_known


def _hazards(
    accepted: AgeArray, resolved: AgeArray, exposed: AgeArray
) -> tuple[AgeArray, AgeArray]:
    """Shares accepted and resolved within the cycle at each age."""
    per_exposed = 1.0 / (exposed + np.float32(_EPSILON))
    resolve_share: AgeArray = resolved * per_exposed
    np.minimum(resolve_share, np.float32(1.0), out=resolve_share)
    accept_share: AgeArray = np.multiply(accepted, per_exposed, out=per_exposed)
    return np.minimum(accept_share, resolve_share, out=accept_share), resolve_share


def _learn_invitations(
    state: TargetState,
    readings: Readings,
    accepted: Array,
    is_accepted_known: Flags,
    period_s: Array,
) -> None:
    """Share out the cycle's acceptances and answers over the ages they probably had (one EM step)."""
    cycles = readings.elapsed_s / period_s
    is_one_cycle = (cycles >= 0.25) & (cycles < 2.5)
    sent, resolved, is_engine_known = _engine_growth(state, readings)
    _age_record(state, sent, np.where(cycles < 0.25, 0, np.maximum(np.rint(cycles), 1)))
    exposed = state.by_age_pending
    accept_share, resolve_share = _hazards(
        state.by_age_accepted, state.by_age_resolved, state.by_age_exposed
    )
    expected = exposed * accept_share
    expected_total = expected.sum(axis=0, dtype=np.float64)
    leaving = exposed * resolve_share
    gone = _shared_out(leaving, resolved, exposed)
    can_learn = is_one_cycle & is_engine_known & is_accepted_known & (state.arrival_gap == 0)
    entered = _shared_out(expected, accepted, exposed)
    keep = np.where(can_learn, forgetting(accepted, ACCEPTANCE_MEMORY), 1.0).astype(np.float32)
    weight = can_learn.astype(np.float32)
    for counts, seen in (
        (state.by_age_accepted, entered),
        (state.by_age_resolved, np.maximum(gone, entered)),
        (state.by_age_exposed, exposed),
    ):
        np.multiply(counts, keep, out=counts)
        np.add(counts, seen if can_learn.all() else seen * weight, out=counts)
    variance = expected_total - np.einsum("an,an->n", expected, accept_share)
    relative = 1.0 / (1.0 + state.by_age_accepted.sum(axis=0, dtype=np.float64))
    _detect_acceptance_change(
        state,
        accepted * weight,
        expected_total * weight,
        (variance + expected_total**2 * relative) * weight,
    )
    passed = cycles >= 0.25
    expired = (
        gone
        if (is_engine_known & passed).all()
        else np.where(is_engine_known, gone, leaving) * passed
    )
    left = exposed - expired.astype(np.float32, copy=False)
    state.by_age_pending = _anchored(left, readings.pending, resolve_share)
    state.arrival_gap = (~is_accepted_known).astype(np.float64)


def _engine_growth(state: TargetState, readings: Readings) -> tuple[Array, Array, Flags]:
    """Invitations sent and resolved in the past cycle, and where both can be trusted to learn from."""
    sent, is_sent_known = _advance(state, readings, "sent")
    resolved, is_resolved_known = _advance(state, readings, "resolved")
    has_answer = ~np.isnan(readings.pending)
    before = np.where(np.isnan(state.known_pending), 0.0, state.known_pending)
    now = np.where(has_answer, readings.pending, before)
    was_silent = state.engine_gap > 0
    sent = np.maximum(sent - state.guessed_sent, 0.0)
    if not is_sent_known.all():
        likely = np.clip(now - before + _expected_leaving(state), 0.0, state.last_permits)
        guess = np.where(has_answer, likely, state.last_permits)
        exact = np.maximum(now - before + resolved, 0.0)
        guess = np.where(is_resolved_known & has_answer, exact, guess)
        sent = np.where(is_sent_known, sent, guess)
    resolved = np.where(is_resolved_known, resolved, np.maximum(before + sent - now, 0.0))
    state.guessed_sent = np.where(
        has_answer, 0.0, state.guessed_sent + np.where(is_sent_known, 0.0, sent)
    )
    is_first = np.isnan(state.known_pending)
    state.engine_gap = (~has_answer).astype(np.float64)
    return sent, resolved, has_answer & ~was_silent & ~is_first


def _expected_leaving(state: TargetState) -> Array:
    """Resolutions expected this cycle from what was pending before it."""
    _, resolve_share = _hazards(state.by_age_accepted, state.by_age_resolved, state.by_age_exposed)
    older = np.minimum(np.arange(1, resolve_share.shape[0] + 1), resolve_share.shape[0] - 1)
    return np.asarray((state.by_age_pending * resolve_share[older]).sum(axis=0, dtype=np.float64))


def _age_record(state: TargetState, sent: Array, cycles: Array) -> None:
    """Move the pending record on by whole cycles and book what was sent at the youngest age."""
    record = state.by_age_pending
    for passed in range(min(int(cycles.max(initial=0)), record.shape[0])):
        moved = np.empty_like(record)
        moved[0] = 0.0
        moved[1:] = record[:-1]
        moved[-1] += record[-1]
        moves = passed < cycles
        record = moved if moves.all() else np.where(moves, moved, record)
    state.by_age_pending = record.copy() if record is state.by_age_pending else record
    state.by_age_pending[0] += sent.astype(np.float32)


def _shared_out(expected: AgeArray, total: Array, exposed: AgeArray) -> AgeArray:
    """Split `total` over the ages in proportion to what was expected there, never more than were exposed."""
    whole = expected.sum(axis=0, dtype=np.float64)
    factor = (total / np.maximum(whole, _EPSILON)).astype(np.float32)
    shared: AgeArray = expected * factor
    return np.minimum(shared, exposed, out=shared)


def _anchored(record: AgeArray, pending: Array, resolve_share: AgeArray) -> AgeArray:
    """Scale our record of what is pending to the engine's total; without a record use the survival curve."""
    total = record.sum(axis=0, dtype=np.float64)
    factor = np.where(np.isnan(pending), 1.0, pending / np.maximum(total, _EPSILON))
    scaled = record * factor.astype(np.float32)
    is_lost = (pending > 0) & (total <= 1e-3)
    if is_lost.any():
        curve = np.cumprod(1.0 - resolve_share[:, is_lost], axis=0)
        curve += np.float32(_EPSILON)
        scaled[:, is_lost] = curve / curve.sum(axis=0) * pending[is_lost]
    return scaled


def _learn_rates(
    state: TargetState, readings: Readings, accepted: Array, left: Array, served: Array
) -> None:
    """Gamma counts of releases per busy second, abandonments per waiting second, acceptances per second."""
    elapsed_s = readings.elapsed_s
    keep = float(forgetting(elapsed_s, RATE_MEMORY_S))
    busy = _mean_level(state.known_busy, readings.busy)
    waiting = _mean_level(state.known_waiting, readings.waiting)
    state.released = state.released * keep + served
    state.busy_s = state.busy_s * keep + busy * elapsed_s
    state.left = state.left * keep + left
    state.waiting_s = state.waiting_s * keep + waiting * elapsed_s
    state.entered = state.entered * keep + accepted
    state.entered_s = state.entered_s * keep + elapsed_s


def _mean_level(before: Array, now: Array) -> Array:
    """Mean of a level over the cycle (trapezoid); what is unknown at one end is taken from the other."""
    first = np.where(np.isnan(before), now, before)
    last = np.where(np.isnan(now), first, now)
    return np.nan_to_num(0.5 * (first + last))


def _learn_reactive(state: TargetState, readings: Readings, arrived: Array) -> None:
    """Reactive arrivals per second, with its own change detector."""
    elapsed_s = readings.elapsed_s
    keep = float(forgetting(elapsed_s, REACTIVE_MEMORY_S))
    expected = state.reactive / np.maximum(state.reactive_s, 1.0) * elapsed_s
    relative = 1.0 / (1.0 + state.reactive)
    state.reactive = state.reactive * keep + arrived
    state.reactive_s = state.reactive_s * keep + elapsed_s
    state.reactive_block_seen += arrived
    state.reactive_block_expected += expected
    state.reactive_block_variance += expected + expected**2 * relative
    rang = _block_step(state, "reactive")
    shrink = np.where(rang, CHANGE_SHRINK, 1.0)
    state.reactive *= shrink
    state.reactive_s *= shrink


def _detect_acceptance_change(
    state: TargetState, seen: Array, expected: Array, variance: Array
) -> None:
    """Shrink the counts after a jump, so that the new level is learned within a few acceptances."""
    state.accept_block_seen += seen
    state.accept_block_expected += expected
    state.accept_block_variance += variance
    rang = _block_step(state, "accept")
    if rang.any():
        shrink = np.where(rang, CHANGE_SHRINK, 1.0).astype(np.float32)
        state.by_age_accepted *= shrink
        state.by_age_resolved *= shrink
        state.by_age_exposed *= shrink


def _block_step(state: TargetState, name: str) -> Flags:
    """Feed each full block to the change detector and empty it."""
    seen: Array = getattr(state, f"{name}_block_seen")
    expected: Array = getattr(state, f"{name}_block_expected")
    variance: Array = getattr(state, f"{name}_block_variance")
    is_full = (expected >= BLOCK_EXPECTED) | (seen >= 2 * BLOCK_EXPECTED)
    residual = (seen - expected) / np.sqrt(variance + 1.0)
    rise, fall = getattr(state, f"{name}_rise"), getattr(state, f"{name}_fall")
    new_rise, new_fall, rang = cusum(rise, fall, residual)
    setattr(state, f"{name}_rise", np.where(is_full, new_rise, rise))
    setattr(state, f"{name}_fall", np.where(is_full, new_fall, fall))
    for column in (seen, expected, variance):
        column[is_full] = 0.0
    return rang & is_full


def _shared_counts(
    state: TargetState, prior_group: NDArray[np.int64] | None
) -> tuple[AgeArray, AgeArray, AgeArray]:
    """The invitations' counts; a young target in a prior group (number ≥ 0) borrows from its group."""
    own = state.by_age_accepted, state.by_age_resolved, state.by_age_exposed
    if prior_group is None:
        return own
    fade = np.clip(1.0 - state.seen_acceptances / GROUP_ACCEPTANCES, 0.0, 1.0)
    _, member = np.unique(prior_group, return_inverse=True)
    order = np.argsort(member, kind="stable")
    starts = np.flatnonzero(np.diff(member[order], prepend=-1))
    exposed_sum = np.add.reduceat(own[2][0][order], starts)[member]
    trials = np.where(prior_group < 0, 0.0, GROUP_TRIALS * fade)
    weight = (trials / np.maximum(exposed_sum, _EPSILON)).astype(np.float32)
    pooled = [np.add.reduceat(counts[:, order], starts, axis=1)[:, member] for counts in own]
    accepted, resolved, exposed = (
        counts + weight * group for counts, group in zip(own, pooled, strict=True)
    )
    return accepted, resolved, exposed

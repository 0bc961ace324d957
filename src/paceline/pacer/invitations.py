"""The fate of invitations by their age: who is still asked, who accepted, who answered or let it expire.

Called by estimators.py once per cycle with the cycle that has just passed.
Never decides anything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import forgetting
from paceline.pacer.ages import AgeArray, total, total_product
from paceline.pacer.changes import CHANGE_SHRINK, jumped
from paceline.pacer.inputs import Readings, increase
from paceline.pacer.state import Array, TargetState

ACCEPTANCE_MEMORY: Final = 120.0
"""In acceptances, not in invitations: at low acceptance a memory of answers forgets too fast (PACING.md)."""
BORROWED: Final = np.float32(10.0)
"""Answers at most that an age counts from the ages before it (chosen among 0, 2, 4, 10): what nobody is old enough
for yet is taken to be as it was so far, not as the prior says, else high acceptance floods an idle crew."""
EPSILON: Final = np.float32(1e-6)
_ONE: Final = np.float32(1.0)

Flags = NDArray[np.bool_]


def advance(state: TargetState, readings: Readings, name: str) -> tuple[Array, Flags]:
    """Growth of one cumulative count and where it is known; remembers its new value."""
    now: Array = getattr(readings, name)
    last: Array = getattr(state, f"last_{name}")
    growth, is_known = increase(last, now)
    np.copyto(last, now, where=~np.isnan(now))
    return growth, is_known


def hazards(accepted: AgeArray, resolved: AgeArray, exposed: AgeArray) -> tuple[AgeArray, AgeArray]:
    """Shares accepted and resolved within one cycle at each age; (buckets, n), 0 ≤ accepted ≤ resolved ≤ 1.

    Row by row: a row stays in the processor's cache, and no array as large as the answer is needed beside it.
    """
    shares: AgeArray = np.empty((2, *accepted.shape), dtype=np.float32)
    whole = _row(_ONE, accepted)
    for age, (accept, resolve) in enumerate(zip(*shares, strict=True)):
        np.add(exposed[age], EPSILON, out=accept)
        np.reciprocal(accept, out=accept)
        np.multiply(resolved[age], accept, out=resolve)
        np.minimum(resolve, whole, out=resolve)
        np.multiply(accepted[age], accept, out=accept)
        np.minimum(accept, resolve, out=accept)
    return shares[0], shares[1]


def borrow(
    accept_share: AgeArray, resolve_share: AgeArray, accepted: AgeArray, resolved: AgeArray
) -> None:
    """Smooth the accepted part of the answers from age to age, old after young; changes `accept_share`."""
    answers: AgeArray = resolved[0] + EPSILON
    part: AgeArray = accepted[0] / answers
    most = _row(BORROWED, accepted)
    for age in range(1, accepted.shape[0]):
        np.minimum(answers, most, out=answers)  # no more than the younger ages have seen
        part *= answers
        part += accepted[age]
        answers += resolved[age]
        part /= answers
        np.multiply(part, resolve_share[age], out=accept_share[age])


def learn_invitations(
    state: TargetState,
    readings: Readings,
    accepted: Array,
    is_accepted_known: Flags,
    period_s: Array,
) -> None:
    """Share out the cycle's acceptances and answers over the ages they probably had (one EM step).

    References
    ----------
    Dempster, Laird, Rubin, J. R. Stat. Soc. B 39 (1977): EM with only totals observed.
    """
    cycles = readings.elapsed_s / period_s
    is_one_cycle = (cycles >= 0.25) & (cycles < 2.5)
    sent, resolved, is_engine_known = _engine_growth(state, readings)
    _age_record(state.by_age_pending, sent, cycles)
    accept_share, resolve_share = hazards(
        state.by_age_accepted, state.by_age_resolved, state.by_age_exposed
    )
    exposed = state.grid.rows(state.by_age_pending)
    expected = total_product(exposed, accept_share)
    leaving = total_product(exposed, resolve_share)
    can_learn = is_one_cycle & is_engine_known & is_accepted_known & (state.arrival_gap == 0)
    state.put("arrival_gap", np.isnan(readings.accepted))
    events = total(state.by_age_accepted)
    weight = can_learn.astype(np.float32)
    # The expectations become what happened.
    cycle = _Cycle(
        exposed=exposed,
        accept_share=accept_share,
        resolve_share=resolve_share,
        accept_factor=_factor(accepted, expected),
        resolve_factor=_factor(resolved, leaving),
        keep=np.where(can_learn, forgetting(accepted, ACCEPTANCE_MEMORY), 1.0).astype(np.float32),
        weight=weight,
        is_engine_known=None if is_engine_known.all() else is_engine_known,
        passed=(cycles >= 0.25).astype(np.float32),
    )
    _book(state, cycle)
    rang = jumped(state, "accept", accepted * weight, expected * weight, events)
    if rang.any():
        shrink = np.where(rang, np.float32(CHANGE_SHRINK), _ONE)
        for counts in (state.by_age_accepted, state.by_age_resolved, state.by_age_exposed):
            np.multiply(counts, shrink, out=counts)
    _anchor(state, readings.pending, resolve_share)


@dataclass(frozen=True, slots=True, eq=False)
class _Cycle:
    """What the past cycle says of each bucket's invitations; (n,), and one such row for each bucket."""

    exposed: list[AgeArray]
    accept_share: AgeArray  # expected; times the factor: what happened
    resolve_share: AgeArray
    accept_factor: AgeArray
    resolve_factor: AgeArray
    keep: AgeArray  # share of the old counts that is not forgotten
    weight: AgeArray  # 1, or 0 where it cannot be learned from
    is_engine_known: Flags | None  # None where all are
    passed: AgeArray  # 1, or 0 where no time passed


def _book(state: TargetState, cycle: _Cycle) -> None:
    """Forget a little and add what was seen, where it can be learned from; then take out who has answered."""
    whole = _row(_ONE, cycle.accept_share)
    for bucket, ages in enumerate(state.grid.ages):
        entered = cycle.accept_share[bucket] * cycle.accept_factor
        np.minimum(entered, whole, out=entered)
        gone = cycle.resolve_share[bucket] * cycle.resolve_factor
        np.minimum(gone, whole, out=gone)
        seen = cycle.exposed[bucket] * cycle.weight
        for counts, added in (
            (state.by_age_accepted[bucket], entered * seen),
            (state.by_age_resolved[bucket], np.maximum(gone, entered) * seen),
            (state.by_age_exposed[bucket], seen),
        ):
            np.multiply(counts, cycle.keep, out=counts)
            np.add(counts, added, out=counts)
        if cycle.is_engine_known is not None:
            gone = np.where(cycle.is_engine_known, gone, cycle.resolve_share[bucket])
        state.by_age_pending[ages] *= _ONE - gone * cycle.passed


def _row(value: np.float32, like: AgeArray) -> AgeArray:
    """One number for each target: NumPy compares two rows three times as fast as a row and a number."""
    return np.full_like(like[0], value)


def _factor(seen: Array, expected: AgeArray) -> AgeArray:
    """What makes of the number expected the number seen."""
    factor: AgeArray = (seen / np.maximum(expected, EPSILON)).astype(np.float32)
    return factor


def _engine_growth(state: TargetState, readings: Readings) -> tuple[Array, Array, Flags]:
    """Invitations sent and resolved in the past cycle, and where both can be trusted to learn from."""
    sent, is_sent_known = advance(state, readings, "sent")
    resolved, is_resolved_known = advance(state, readings, "resolved")
    has_answer = ~np.isnan(readings.pending)
    is_first = np.isnan(state.known_pending)
    was_silent = state.silent_s > 0.0
    sent = np.maximum(sent - state.guessed_sent, 0.0)
    if not (is_sent_known.all() and is_resolved_known.all()):
        before = np.where(is_first, 0.0, state.known_pending)
        now = np.where(has_answer, readings.pending, before)
        likely = np.clip(now - before + _expected_leaving(state), 0.0, state.given_permits)
        guess = np.where(has_answer, likely, state.given_permits)
        exact = np.maximum(now - before + resolved, 0.0)
        guess = np.where(is_resolved_known & has_answer, exact, guess)
        sent = np.where(is_sent_known, sent, guess)
        resolved = np.where(is_resolved_known, resolved, np.maximum(before + sent - now, 0.0))
    booked = state.guessed_sent + np.where(is_sent_known, 0.0, sent)
    state.put("guessed_sent", np.where(has_answer, 0.0, booked))
    return sent, resolved, has_answer & ~was_silent & ~is_first


def _expected_leaving(state: TargetState) -> Array:
    """Resolutions expected this cycle from what was pending before it."""
    _, resolve_share = hazards(state.by_age_accepted, state.by_age_resolved, state.by_age_exposed)
    older = np.append(state.grid.bucket[1:], state.grid.bucket[-1])
    leaving = total_product(state.by_age_pending, resolve_share[older])
    return np.asarray(leaving, dtype=np.float64)


def _age_record(record: AgeArray, sent: Array, cycles: Array) -> None:
    """Move the pending record on by whole cycles and book what was sent at the youngest age."""
    steps = np.where(cycles < 0.25, 0.0, np.maximum(np.rint(cycles), 1.0))
    for passed in range(min(int(steps.max(initial=0.0)), record.shape[0])):
        moves = passed < steps
        if moves.all():
            _older(record)
        else:
            moving = record[:, moves]
            _older(moving)
            record[:, moves] = moving
    record[0] += sent


def _older(record: AgeArray) -> None:
    """One cycle passes; the last age is open-ended."""
    if record.shape[0] == 1:
        return
    record[-1] += record[-2]
    for age in range(record.shape[0] - 2, 0, -1):
        record[age] = record[age - 1]
    record[0] = 0.0


def _anchor(state: TargetState, pending: Array, resolve_share: AgeArray) -> None:
    """Scale our record of what is pending to the engine's total; without a record use the survival curve."""
    record = state.by_age_pending
    mass = total(record)
    factor = np.where(np.isnan(pending), 1.0, pending / np.maximum(mass, EPSILON))
    record *= factor.astype(np.float32)
    lost = np.flatnonzero((pending > 0) & (mass <= 1e-3))
    if lost.size:
        curve = np.cumprod(_ONE - resolve_share[:, lost][state.grid.bucket], axis=0)
        curve += EPSILON
        record[:, lost] = curve / total(curve) * pending[lost]

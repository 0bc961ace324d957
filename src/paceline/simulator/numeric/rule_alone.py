"""The position rule as PACING.md writes it, on the pacer's estimators: the yardstick of `paceline bench pacing`.

Used by day.py in place of `Pacer`. No part of the product: no fitted margin, no careful start, no shared agents.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.loss import inverse_loss
from paceline.pacer import CycleInput, position
from paceline.pacer.estimators import Estimates, debt_scale, estimate, learn
from paceline.pacer.guards import Levels, carry_forward, verdict
from paceline.pacer.inputs import checked
from paceline.pacer.progressive import progressive_permits
from paceline.pacer.reasons import PermitReason
from paceline.pacer.settings import settings_of
from paceline.pacer.state import Array, TargetState, grid_of

RULE_ALONE: Final = "position_rule_alone"
STEERED: Final = 0.98
DEBT_LIMIT: Final = 12.0
PULL: Final = 0.6
MOST_PULL: Final = 1.6
GAIN: Final = 0.3
"""PACING.md, "The position rule": g' = 0.98 g, Y within ±12 s, c = clip(0.6 √((Bμ−λr)h), 1, 1.6), 0.3 Y/s."""
MIN_SAMPLE: Final = 20
"""PACING.md, "Guards"."""


class RuleAlone:
    """Permits for n targets whose agents are their own; `goal_percent` and `period_s` (n,)."""

    def __init__(self, *, goal_percent: Array, period_s: Array) -> None:
        ids = [str(number) for number in range(goal_percent.size)]
        self._settings = settings_of(
            ids,
            goal_percent=goal_percent,
            period_s=period_s,
            reach=None,
            reactive_goal_percent=None,
            prior_group=None,
        )
        self._state = TargetState.fresh(period_s, grid_of(period_s))
        self._goal_share = STEERED * self._settings.goal_share

    def permits(self, cycle: CycleInput) -> NDArray[np.int64]:
        """Learn from the past cycle and permit the next one's invitations."""
        state, period_s = self._state, self._settings.period_s
        readings = checked(cycle, target_count=period_s.size, pool_count=0)
        debt, accepted, abandoned = (
            column.astype(np.float64)
            for column in (state.debt, state.last_accepted, state.last_abandoned)
        )
        learn(state, readings, self._settings)
        known = estimate(state, period_s, None)
        owed = debt + _grown(abandoned, state.last_abandoned)
        owed -= self._goal_share * _grown(accepted, state.last_accepted)
        scale = debt_scale(known.acceptance_rate, self._goal_share)
        state.put("debt", np.clip(owed, -DEBT_LIMIT * scale, DEBT_LIMIT * scale))
        levels = carry_forward(state, readings, period_s)
        wanted = self._wanted(levels, known, state.debt / scale)
        permits = position.invitations(wanted, known.acceptance)
        capped = np.minimum(permits, position.invitations(wanted, known.acceptance_high))
        permits = np.where(state.seen_acceptances < MIN_SAMPLE, capped, permits)
        cautious = progressive_permits(levels.ready, levels.waiting, levels.pending)
        reason = np.full(permits.size, PermitReason.FORECAST, dtype=np.uint8)
        granted, _ = verdict(state, levels, period_s, permits, reason, cautious)
        state.put("given_permits", granted)
        return granted

    def _wanted(self, levels: Levels, known: Estimates, debt: Array) -> Array:
        """Acceptances to aim at; `debt` in standard deviations."""
        ahead_s = position.lead_s(known, self._settings.period_s)
        stays = np.exp(-known.release_rate * ahead_s)
        released = levels.busy * (1.0 - stays)
        reactive = known.reactive_rate * ahead_s
        throughput = levels.busy * known.release_rate
        flow = np.maximum(throughput * ahead_s - reactive, 0.0)
        pull = np.clip(PULL * np.sqrt(flow), 1.0, MOST_PULL)
        slack = pull * (levels.ready - levels.waiting) + released - reactive - known.coming
        variance = released * stays + reactive + known.coming_variance
        place = position.Position(
            slack=slack,
            variance=position.VARIANCE_FACTOR * variance,
            throughput=throughput,
            margin=np.zeros_like(slack),
            on_the_way=known.coming,
        )
        per_u = position.VARIANCE_FACTOR * (1.0 - known.acceptance)
        at_slack = place.variance + per_u * np.maximum(slack, 0.0) + position.VARIANCE_FLOOR
        queue = self._goal_share * throughput / known.abandon_rate
        z = inverse_loss(queue / np.sqrt(at_slack)) + GAIN * debt
        return position.acceptances_wanted(place, known, z)


def _grown(before: Array, now: NDArray[np.float64]) -> Array:
    """Growth of a cumulative count; 0 where it was or is not known, or fell."""
    return np.maximum(np.nan_to_num(now - before), 0.0)

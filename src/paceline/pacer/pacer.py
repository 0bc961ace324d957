"""The pacer: learns from each cycle's statistics and says how many invitations each target may send.

Called by servers/pacing, the simulator or a user alone, once per cycle.
Never reads a clock, draws chance or does I/O: the same inputs give the same permits.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from paceline.pacer import position, save
from paceline.pacer.estimators import Estimates, debt_scale, estimate, learn
from paceline.pacer.guards import Levels, carry_forward, verdict
from paceline.pacer.inputs import CycleInput, CycleOutput, Readings, checked
from paceline.pacer.progressive import progressive_permits
from paceline.pacer.reasons import PermitReason
from paceline.pacer.settings import (
    DEFAULT_GOAL_PERCENT,
    DEFAULT_PERIOD_S,
    NO_GROUP,
    Reach,
    reach_rows,
    row,
    settings_of,
)
from paceline.pacer.state import Array, TargetState, age_count

POLICIES: Final = ("position", "progressive")
LATER_POLICIES: Final = ("super_progressive", "queueing_rate", "ratio", "naive")
MIN_SAMPLE: Final = 20
"""Acceptances before the measured share is trusted alone: PACING.md, "Guards"."""
NO_LIMIT_PERMITS: Final = 2**31 - 1
"""What goal 100 permits: no limit, as the largest number a four-byte column holds (chosen)."""


class Pacer:
    """Permits for n targets; see the package docstring and PACING.md for the meaning of every argument.

    `min_sample` (option `pacing.minSample`): acceptances seen before the cap on the acceptance share falls away.

    Raises
    ------
    ValueError
        Unknown policy, an id twice, a wrong shape, a goal outside 0–100.
    """

    def __init__(
        self,
        target_ids: Sequence[str],
        goal_percent: ArrayLike = DEFAULT_GOAL_PERCENT,
        period_s: ArrayLike = DEFAULT_PERIOD_S,
        reach: Reach | None = None,
        policy: str = "position",
        reactive_goal_percent: ArrayLike | None = None,
        prior_group: ArrayLike | None = None,
        *,
        min_sample: int = MIN_SAMPLE,
    ) -> None:
        _check_policy(policy)
        self._policy = policy
        self._min_sample = int(min_sample)
        self._default_goal = _one_number(goal_percent, DEFAULT_GOAL_PERCENT)
        self._default_period = _one_number(period_s, DEFAULT_PERIOD_S)
        self._settings = settings_of(
            target_ids,
            goal_percent=goal_percent,
            period_s=period_s,
            reach=reach,
            reactive_goal_percent=reactive_goal_percent,
            prior_group=prior_group,
        )
        periods = self._settings.period_s
        self._state = TargetState.fresh(periods, age_count(periods))
        self._forget_pools()

    @property
    def target_ids(self) -> tuple[str, ...]:
        """Ids in the order of every array."""
        return self._settings.target_ids

    def step(self, cycle: CycleInput) -> CycleOutput:
        """Learn from the past cycle and permit the next one's invitations.

        Raises
        ------
        ValueError
            A wrong shape or an infinity; nothing is changed then.
        """
        settings = self._settings
        readings = checked(cycle, target_count=len(self.target_ids), pool_count=settings.pool_count)
        readings = self._with_pools(readings)
        learn(
            self._state,
            readings,
            settings.goal_share,
            settings.reactive_goal_share,
            settings.period_s,
        )
        levels = carry_forward(self._state, readings, settings.period_s)
        groups = settings.prior_group if (settings.prior_group != NO_GROUP).any() else None
        known = estimate(self._state, settings.period_s, groups)
        output = self._decide(levels, known)
        self._state.last_permits = output.permits.astype(np.float64)
        return output

    def save(self) -> bytes:
        """Return everything that makes this pacer's future; the bytes begin with a format version."""
        settings = self._settings
        arrays: dict[str, NDArray[Any]] = {
            "goal_percent": settings.goal_percent,
            "period_s": settings.period_s,
            "reactive_goal_percent": settings.reactive_goal_percent,
            "prior_group": settings.prior_group,
            "defaults": np.array([self._default_goal, self._default_period]),
        }
        if settings.pools is not None:
            reach = settings.pools.reach.tocoo()
            arrays["reach_share"] = reach.data
            arrays["reach_target"] = reach.coords[0].astype(np.int64)
            arrays["reach_pool"] = reach.coords[1].astype(np.int64)
            arrays["pool_ready"] = self._pool_ready
            arrays["pool_busy"] = self._pool_busy
        return save.encode(
            save.Saved(
                target_ids=list(settings.target_ids),
                policy=self._policy,
                min_sample=self._min_sample,
                settings={name: save.stored(values) for name, values in arrays.items()},
                columns={
                    name: save.stored(values) for name, values in self._state.columns().items()
                },
            )
        )

    @classmethod
    def restore(cls, state: bytes) -> "Pacer":
        """Build the pacer that `save` wrote down: it continues as the saved one would have.

        Raises
        ------
        ValueError
            Not a saved state, damaged, or of a newer format.
        """
        saved = save.decode(state)
        arrays = {name: save.loaded(array) for name, array in saved.settings.items()}
        reach: sparse.csr_array | None = None
        if "reach_share" in arrays:
            places = (arrays["reach_target"], arrays["reach_pool"])
            shape = (len(saved.target_ids), arrays["pool_ready"].size)
            reach = sparse.csr_array((arrays["reach_share"], places), shape=shape)
        pacer = cls(
            saved.target_ids,
            arrays["goal_percent"],
            arrays["period_s"],
            reach,
            saved.policy,
            arrays["reactive_goal_percent"],
            arrays["prior_group"],
            min_sample=saved.min_sample,
        )
        columns = {name: save.loaded(array) for name, array in saved.columns.items()}
        size = len(saved.target_ids)
        if any(values.shape[-1] != size for values in columns.values()):
            raise ValueError("saved pacer state is damaged: an array does not fit its targets")
        pacer._state = TargetState.of(columns, size)
        pacer._default_goal, pacer._default_period = arrays["defaults"].tolist()
        if reach is not None:
            pacer._pool_ready, pacer._pool_busy = arrays["pool_ready"], arrays["pool_busy"]
        return pacer

    def set_targets(
        self,
        target_ids: Sequence[str],
        *,
        goal_percent: ArrayLike | None = None,
        period_s: ArrayLike | None = None,
        reach: Reach | None = None,
        reactive_goal_percent: ArrayLike | None = None,
        prior_group: ArrayLike | None = None,
    ) -> None:
        """Replace the set of targets; kept ones keep their learning, the next input has the new order.

        None keeps a kept target's value; a new target gets the default: the one number this pacer was made
        with, else goal 3 % and period 5 s, no reactive guard, no group, no reachable pool.

        Raises
        ------
        ValueError
            As in the constructor; nothing is changed then.
        """
        old = self._settings
        place = {target_id: index for index, target_id in enumerate(old.target_ids)}
        source = np.array(
            [place.get(str(target_id), -1) for target_id in target_ids], dtype=np.intp
        )
        keeps_pools = reach is None and old.pools is not None
        if reach is None and old.pools is not None:
            reach = reach_rows(old.pools, source)
        self._settings = settings_of(
            target_ids,
            goal_percent=_or_kept(goal_percent, source, old.goal_percent, self._default_goal),
            period_s=_or_kept(period_s, source, old.period_s, self._default_period),
            reach=reach,
            reactive_goal_percent=_or_kept(
                reactive_goal_percent, source, old.reactive_goal_percent, np.nan
            ),
            prior_group=_or_kept(prior_group, source, old.prior_group, NO_GROUP),
        )
        periods = self._settings.period_s
        self._state = self._state.rearranged(source, periods, age_count(periods))
        if not keeps_pools:
            self._forget_pools()

    def _forget_pools(self) -> None:
        self._pool_ready: Array = np.full(self._settings.pool_count, np.nan)
        self._pool_busy: Array = np.full(self._settings.pool_count, np.nan)

    def _with_pools(self, readings: Readings) -> Readings:
        """With shared agents a target's ready and busy are what it can reach; remembers the pools."""
        pools = self._settings.pools
        if pools is None:
            return readings
        missing = np.isnan(readings.pool_ready) | np.isnan(readings.pool_busy)
        self._pool_ready = np.where(missing, self._pool_ready, readings.pool_ready)
        self._pool_busy = np.where(missing, self._pool_busy, readings.pool_busy)
        is_missing = pools.reachable(missing.astype(np.float64)) > 0.0
        ready = pools.reachable(np.nan_to_num(readings.pool_ready))
        busy = pools.reachable(np.nan_to_num(readings.pool_busy))
        return replace(
            readings,
            ready=np.where(is_missing, np.nan, ready),
            busy=np.where(is_missing, np.nan, busy),
        )

    def _decide(self, levels: Levels, known: Estimates) -> CycleOutput:
        """Let the policy speak, then the goal's limits, then the guards."""
        settings, state = self._settings, self._state
        cautious = self._cautious(levels)
        place = position.position_of(
            self._crew(levels, known, is_pooled=True), known, settings.period_s
        )
        shift = self._feedback(known)
        z = position.safety_margin(place, known, settings.goal_share, shift)
        if self._policy == "progressive":
            permits, reason = cautious, np.full(cautious.size, PermitReason.PROGRESSIVE, np.uint8)
        else:
            permits, reason = self._position_permits(levels, known, place, z, shift)
            is_zero = settings.goal_percent == 0.0
            permits = np.where(is_zero, cautious, permits)
            reason = np.where(is_zero, np.uint8(PermitReason.GOAL_ZERO), reason)
            is_free = settings.goal_percent == 100.0
            permits = np.where(is_free, float(NO_LIMIT_PERMITS), permits)
            reason = np.where(is_free, np.uint8(PermitReason.NO_LIMIT), reason)
        granted, reason = verdict(state, levels, settings.period_s, permits, reason, cautious)
        return CycleOutput(
            permits=granted,
            reason=reason,
            slack=place.slack,
            safety=z,
            acceptance=known.acceptance,
            acceptance_low=known.acceptance_low,
            acceptance_high=known.acceptance_high,
            patience_s=1.0 / known.abandon_rate,
            handle_time_s=1.0 / known.release_rate,
            debt=state.debt.copy(),
            abandonment_forecast=position.forecast(place, known, granted * known.acceptance),
        )

    def _feedback(self, known: Estimates) -> Array:
        """Shift of the safety margin: 0.3 Y/s for the goal, and the same for reactive traffic left behind."""
        settings, state = self._settings, self._state
        scale = debt_scale(known.acceptance_rate, settings.goal_share)
        own = position.FEEDBACK_GAIN * state.debt / scale
        reactive_share = np.nan_to_num(settings.reactive_goal_share)
        reactive_scale = debt_scale(known.reactive_rate, reactive_share)
        return np.asarray(own + position.FEEDBACK_GAIN * state.reactive_debt / reactive_scale)

    def _crew(self, levels: Levels, known: Estimates, *, is_pooled: bool) -> position.Crew:
        """Agents and work of a target alone, or of all targets that share agents with it."""
        pools = self._settings.pools
        if pools is None or not is_pooled:
            return position.Crew(
                ready=levels.ready,
                busy=levels.busy,
                waiting=levels.waiting,
                reactive_rate=known.reactive_rate,
                coming=known.coming,
                coming_variance=known.coming_variance,
            )
        return position.Crew(
            ready=pools.agents_together(np.nan_to_num(self._pool_ready)),
            busy=pools.agents_together(np.nan_to_num(self._pool_busy)),
            waiting=pools.together(levels.waiting),
            reactive_rate=pools.together(known.reactive_rate),
            coming=pools.together(known.coming),
            coming_variance=pools.together(known.coming_variance),
        )

    def _cautious(self, levels: Levels) -> Array:
        """max(0, R − Q − K), shared agents split so that each counts once."""
        alone = progressive_permits(levels.ready, levels.waiting, levels.pending)
        pools = self._settings.pools
        if pools is None:
            return alone
        ready = pools.agents_together(np.nan_to_num(self._pool_ready))
        together = progressive_permits(
            ready, pools.together(levels.waiting), pools.together(levels.pending)
        )
        share = pools.fair_shares(np.nan_to_num(self._pool_ready))
        return np.asarray(np.floor(pools.split(together, alone, share, levels.pending) + 1e-9))

    def _position_permits(
        self, levels: Levels, known: Estimates, place: position.Position, z: Array, shift: Array
    ) -> tuple[Array, NDArray[np.uint8]]:
        """Permits of the position rule with the reason of each."""
        wanted, is_shared = self._wanted(levels, known, place, z)
        permits = position.invitations(wanted, known.acceptance)
        is_cold = self._state.seen_acceptances < self._min_sample
        high = known.acceptance_high
        sure = np.maximum(wanted - known.coming * (high / known.acceptance - 1.0), 0.0)
        permits = np.where(is_cold, np.minimum(permits, position.invitations(sure, high)), permits)
        reason = np.full(permits.size, PermitReason.FORECAST, dtype=np.uint8)
        reason[is_cold] = PermitReason.COLD_START
        reason[is_shared] = PermitReason.SHARED_AGENTS
        is_none = permits <= 0.0
        reason[is_none] = PermitReason.NO_CAPACITY_LEFT
        is_held = is_none & (shift > 0.0)
        if is_held.any():
            free = position.safety_margin(
                place, known, self._settings.goal_share, np.minimum(shift, 0.0)
            )
            would, _ = self._wanted(levels, known, place, free)
            is_held &= position.invitations(would, known.acceptance) > 0.0
            is_reactive = self._state.reactive_debt > np.maximum(self._state.debt, 0.0)
            reason[is_held] = PermitReason.OVER_GOAL
            reason[is_held & is_reactive] = PermitReason.REACTIVE_GUARD
        return permits, reason

    def _wanted(
        self, levels: Levels, known: Estimates, place: position.Position, z: Array
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Acceptances to aim at, and where sharing agents made them fewer."""
        wanted = position.acceptances_wanted(place, known, z)
        pools = self._settings.pools
        if pools is None:
            return wanted, np.zeros(wanted.size, dtype=np.bool_)
        own = position.position_of(
            self._crew(levels, known, is_pooled=False), known, self._settings.period_s
        )
        alone = position.acceptances_wanted(own, known, z)
        share = pools.fair_shares(np.nan_to_num(self._pool_ready + self._pool_busy))
        given = pools.split(wanted, alone, share, known.coming)
        fewer = position.invitations(given, known.acceptance) < position.invitations(
            alone, known.acceptance
        )
        return given, fewer


def _check_policy(policy: str) -> None:
    if policy not in POLICIES:
        known = "is not built yet" if policy in LATER_POLICIES else "does not exist"
        raise ValueError(f"policy {policy!r} {known}; available: {', '.join(POLICIES)}")


def _one_number(values: ArrayLike, default: float) -> float:
    """Return the value new targets get: the one number given, or the built-in default."""
    array = np.asarray(values, dtype=np.float64)
    return float(array) if array.shape == () else default


def _or_kept(
    given: ArrayLike | None, source: NDArray[np.intp], kept: NDArray[Any], default: float
) -> ArrayLike:
    return row(source, kept, default) if given is None else given

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

from paceline.pacer import save
from paceline.pacer.decision import Situation, decide
from paceline.pacer.estimators import GroupCounts, estimate, learn
from paceline.pacer.guards import carry_forward
from paceline.pacer.inputs import CycleInput, CycleOutput, Readings, checked, joined
from paceline.pacer.pools import Block, blocks_alone
from paceline.pacer.settings import (
    DEFAULT_GOAL_PERCENT,
    DEFAULT_PERIOD_S,
    NO_GROUP,
    Reach,
    Settings,
    reach_rows,
    row,
    settings_of,
)
from paceline.pacer.sharing import Sharing
from paceline.pacer.state import Array, TargetState, grid_of

POLICIES: Final = (
    "position",
    "progressive",
    "super_progressive",
    "queueing_rate",
    "ratio",
    "naive",
)
MIN_SAMPLE: Final = 20
"""Acceptances before the measured share is trusted alone: PACING.md, "Guards"."""


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
        self._state = TargetState.fresh(periods, grid_of(periods))
        self._forget_pools()

    @property
    def target_ids(self) -> tuple[str, ...]:
        """Ids in the order of every array."""
        return self._settings.target_ids

    @property
    def bytes_per_target(self) -> float:
        """Bytes kept between cycles for each target, its id and reach apart; 0 without targets."""
        kept = sum(values.nbytes for values in self._state.columns().values())
        return (kept + self._settings.kept_bytes) / max(len(self.target_ids), 1)

    def step(self, cycle: CycleInput) -> CycleOutput:
        """Learn from the past cycle and permit the next one's invitations.

        Raises
        ------
        ValueError
            A wrong shape or an infinity; nothing is changed then.
        """
        settings, state = self._settings, self._state
        readings = checked(cycle, target_count=len(self.target_ids), pool_count=settings.pool_count)
        readings = self._with_pools(readings)
        groups = GroupCounts.of(state, settings.prior_group)
        pools = settings.pools
        blocks = blocks_alone(len(self.target_ids)) if pools is None else pools.blocks
        if len(blocks) == 1:
            return self._step_block(settings, state, readings, groups, blocks[0])
        return joined(
            [
                self._step_block(
                    settings.block(block.part),
                    state.block(block.part),
                    readings.block(block.part),
                    None if groups is None else groups.block(block.part),
                    block,
                )
                for block in blocks
            ]
        )

    def set_policy(self, policy: str, *, min_sample: int | None = None) -> None:
        """Go on with another policy, and another smallest sample unless None; everything learned stays.

        Raises
        ------
        ValueError
            Unknown policy; nothing is changed then.
        """
        _check_policy(policy)
        if policy != self._policy:
            self._state.put("policy_level", np.zeros(1))
        self._policy = policy
        if min_sample is not None:
            self._min_sample = int(min_sample)

    def _step_block(
        self,
        settings: Settings,
        state: TargetState,
        readings: Readings,
        groups: GroupCounts | None,
        block: Block,
    ) -> CycleOutput:
        """Learn and decide for some targets."""
        sharing = None
        if block.shared is not None:
            ready, busy = (
                np.nan_to_num(agents[block.shared.pools])
                for agents in (self._pool_ready, self._pool_busy)
            )
            sharing = Sharing(block.shared, state, ready, busy)
        learn(state, readings, settings, None if sharing is None else sharing.seen_by_each)
        levels = carry_forward(state, readings, settings.period_s)
        if sharing is not None:
            sharing.learn_overlap(levels.waiting)
        known = estimate(state, settings.period_s, groups)
        output = decide(
            Situation(
                settings=settings,
                state=state,
                levels=levels,
                known=known,
                sharing=sharing,
                policy=self._policy,
                min_sample=self._min_sample,
            )
        )
        state.put("given_permits", output.permits)
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
        pacer._state = TargetState.of(
            save.fitted_columns(columns, size, pacer._state.grid), size, pacer._state.grid
        )
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
        self._state = self._state.rearranged(source, periods, grid_of(periods))
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
        # NaN passes through the sum to each target that reaches a pool nobody knows of.
        return replace(
            readings,
            ready=pools.reachable(np.where(missing, np.nan, readings.pool_ready)),
            busy=pools.reachable(np.where(missing, np.nan, readings.pool_busy)),
        )


def _check_policy(policy: str) -> None:
    if policy not in POLICIES:
        raise ValueError(f"policy {policy!r} does not exist; available: {', '.join(POLICIES)}")


def _one_number(values: ArrayLike, default: float) -> float:
    """Return the value new targets get: the one number given, or the built-in default."""
    array = np.asarray(values, dtype=np.float64)
    return float(array) if array.shape == () else default


def _or_kept(
    given: ArrayLike | None, source: NDArray[np.intp], kept: NDArray[Any], default: float
) -> ArrayLike:
    return row(source, kept, default) if given is None else given

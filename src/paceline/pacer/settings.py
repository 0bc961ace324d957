"""What a pacer is told about its targets apart from statistics: goals, periods, groups, reach.

Used by `Pacer`; checked here once, then trusted.
Never holds anything learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from paceline.pacer.pools import Pools, connected
from paceline.pacer.state import Array

DEFAULT_GOAL_PERCENT: Final = 3.0
DEFAULT_PERIOD_S: Final = 5.0
"""PACING.md, "Where it lives"."""
NO_GROUP: Final = -1

Number = TypeVar("Number", np.float64, np.int64)

Reach = sparse.csr_array | sparse.csr_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """Checked settings of n targets; arrays (n,)."""

    target_ids: tuple[str, ...]
    goal_percent: Array
    period_s: Array
    reactive_goal_percent: Array  # NaN = no reactive guard
    prior_group: NDArray[np.int64]  # NO_GROUP = built-in priors only
    pools: Pools | None

    @property
    def goal_share(self) -> Array:
        """Highest share of accepted interactions that may leave."""
        return self.goal_percent / 100.0

    @property
    def reactive_goal_share(self) -> Array:
        """Highest share of reactive interactions that may leave; NaN = no guard."""
        return self.reactive_goal_percent / 100.0

    @property
    def has_reactive_guard(self) -> bool:
        """Whether any target has a reactive goal."""
        return not bool(np.isnan(self.reactive_goal_percent).all())

    @property
    def kept_bytes(self) -> int:
        """Bytes of the four arrays; one number where all targets have the same."""
        kept = (self.goal_percent, self.period_s, self.reactive_goal_percent, self.prior_group)
        return sum(values.nbytes if values.strides[0] else values.itemsize for values in kept)

    def block(self, part: slice) -> "Settings":
        """Return the settings of some targets, as views; only without shared agents."""
        return replace(
            self,
            target_ids=(),
            goal_percent=self.goal_percent[part],
            period_s=self.period_s[part],
            reactive_goal_percent=self.reactive_goal_percent[part],
            prior_group=self.prior_group[part],
        )

    @property
    def pool_count(self) -> int:
        """Number of agent pools; 0 without reach."""
        return 0 if self.pools is None else int(self.pools.reach.shape[1])


def settings_of(
    target_ids: Sequence[str],
    *,
    goal_percent: ArrayLike,
    period_s: ArrayLike,
    reach: Reach | None,
    reactive_goal_percent: ArrayLike | None,
    prior_group: ArrayLike | None,
) -> Settings:
    """Check what a caller gave.

    Raises
    ------
    ValueError
        An id twice; a wrong shape; a goal outside 0–100; a period not above 0; a bad reach.
    """
    ids = tuple(str(target_id) for target_id in target_ids)
    size = len(ids)
    if len(set(ids)) != size:
        raise ValueError("target_ids holds an id twice")
    goal = _spread(goal_percent, "goal_percent", size)
    period = _spread(period_s, "period_s", size)
    reactive = _spread(
        np.nan if reactive_goal_percent is None else reactive_goal_percent,
        "reactive_goal_percent",
        size,
    )
    if not ((goal >= 0.0) & (goal <= 100.0)).all() or ((reactive < 0.0) | (reactive > 100.0)).any():
        raise ValueError("a goal is a percentage from 0 to 100")
    if not (period > 0.0).all():
        raise ValueError("period_s must be above 0")
    return Settings(ids, goal, period, reactive, _groups(prior_group, size), _pools(reach, size))


def row(source: NDArray[np.intp], kept: NDArray[Any], default: float) -> NDArray[Any]:
    """Reorder a setting for new targets: kept[source[i]], or `default` where source[i] is -1."""
    moved = np.full(source.size, default, dtype=kept.dtype)
    moved[source >= 0] = kept[source[source >= 0]]
    return moved


def reach_rows(pools: Pools, source: NDArray[np.intp]) -> sparse.csr_array:
    """Reorder the rows of a reach matrix; a new target reaches nobody."""
    empty = sparse.csr_array((1, pools.reach.shape[1]))
    padded = sparse.csr_array(sparse.vstack([pools.reach, empty]))
    return sparse.csr_array(padded[source, :])


def _spread(values: ArrayLike, name: str, size: int) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in ((), (size,)):
        raise ValueError(f"{name} has shape {array.shape}; it must be one number or ({size},)")
    if np.isinf(array).any():
        raise ValueError(f"{name} holds an infinity")
    return _held(np.broadcast_to(array, (size,)))


def _groups(prior_group: ArrayLike | None, size: int) -> NDArray[np.int64]:
    if prior_group is None:
        return _held(np.full(size, NO_GROUP, dtype=np.int64))
    groups = np.asarray(prior_group)
    if groups.shape != (size,) or not np.issubdtype(groups.dtype, np.integer):
        raise ValueError(f"prior_group must be {size} whole numbers")
    return _held(groups.astype(np.int64))


def _held(values: NDArray[Number]) -> NDArray[Number]:
    """Keep a copy of its own; one number where all are equal (most sites have one goal and one period)."""
    first = values[:1]
    if values.size and ((values == first) | (np.isnan(values) & np.isnan(first))).all():
        return np.broadcast_to(first.copy(), values.shape)
    return values.copy()


def _pools(reach: Reach | None, size: int) -> Pools | None:
    if reach is None:
        return None
    if reach.shape[0] != size:
        raise ValueError(
            f"reach has shape {reach.shape}; it must have a row for each of {size} targets"
        )
    return connected(reach)

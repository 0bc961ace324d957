"""The best any pacing rule can reach in world E: a constrained Markov decision process, solved numerically.

Called by `paceline simulate --bound` and the benchmarks; takes from a tenth of a second to
minutes, so never within a pacing cycle. Never simulates: world.py does.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Index = NDArray[np.int64]

TOLERANCE: Final = 2e-5
"""Width of the interval around the utilization (chosen: a fifth of the last digit of PACING.md's table)."""
LOWEST_PRICE: Final = 0.05
HIGHEST_PRICE: Final = 400.0
"""Utilization paid for one unit of abandoned share: found between 0.3 and 30 for goals of 0.5 to 10 %."""
_POISSON_TAIL: Final = 5.5
"""Standard deviations of the Poisson number of jumps kept: the rest weighs below 1e-6 (chosen)."""
_CYCLES: Final = 20_000
"""Value iteration converges within a few hundred cycles; this many mean a broken model."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One case of world E: every duration exponential, invitations sent at once at the start of a cycle.

    `agents` N ≥ 1 [people]; `acceptance` p in (0, 1]; `response_s` L, `service_s` 1/μ, `patience_s` 1/θ and
    `period_s` T, all > 0 [s]; `reactive_per_s` λr in [0, N μ) [1/s]; `goal` in (0, 1): abandoned share allowed.
    """

    agents: int
    acceptance: float
    response_s: float = 15.0
    service_s: float = 200.0
    patience_s: float = 60.0
    reactive_per_s: float = 0.0
    period_s: float = 5.0
    goal: float = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """Highest utilization at the goal, and the policy next to it.

    `utilization` in [0, 1], within `TOLERANCE` from above; `abandoned_share` of the policy `order_up_to`, which is
    the nearest not above the goal; `order_up_to[x]` pending invitations to raise to with x customers inside.
    """

    utilization: float
    abandoned_share: float
    order_up_to: Index


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The best policy at one price of abandonment: what it reaches and its order-up-to levels by x."""

    price: float
    goal: float
    utilization: float
    abandoned: float  # proactive ones per second, in units of N μ
    accepted: float  # the same unit
    order_up_to: Index

    @property
    def excess(self) -> float:
        """Abandonments beyond the goal."""
        return self.abandoned - self.goal * self.accepted

    @property
    def dual(self) -> float:
        """Lagrangian of the constrained problem at this price: an upper bound of the utilization."""
        return self.utilization - self.price * self.excess

    @property
    def abandoned_share(self) -> float:
        """Abandoned / accepted."""
        return self.abandoned / max(self.accepted, 1e-12)


def solve(cell: Cell) -> Bound:
    """Highest utilization of any rule that sees customers in the system and pending invitations.

    The goal binds proactive interactions alone; all customers wait in one queue, first come first served.

    Raises
    ------
    ArithmeticError
        The cell is out of range, so that no price of abandonment keeps the goal.

    References
    ----------
    Altman, Constrained Markov Decision Processes (1999), chapters 3 and 12: Lagrangian and its saddle point.
    Puterman, Markov Decision Processes (1994), 8.5 (relative value iteration), 11.5 (uniformisation).
    """
    model = CycleModel(cell)
    bold, careful = _bracket(model)
    while True:
        price, mixed = _crossing(bold, careful)
        middle = model.optimum(price)
        if (
            middle.dual - mixed <= TOLERANCE
            or min(price / bold.price, careful.price / price) < 1.001
        ):
            nearest = middle if middle.excess <= 0.0 else careful
            share = nearest.abandoned_share
            return Bound(middle.dual, share, model.from_empty(nearest.order_up_to))
        if middle.excess > 0.0:
            bold = middle
        else:
            careful = middle


def _bracket(model: "CycleModel") -> tuple[Optimum, Optimum]:
    """Two prices with the goal broken at the lower and kept at the higher one."""
    price = 2.0
    bold = careful = model.optimum(price)
    while bold.excess <= 0.0 and bold.price > LOWEST_PRICE:
        careful, bold = bold, model.optimum(bold.price / 3.0)
    while careful.excess > 0.0:
        if careful.price > HIGHEST_PRICE:
            raise ArithmeticError(f"no price of abandonment keeps the goal in {model.cell}")
        bold, careful = careful, model.optimum(careful.price * 3.0)
    return bold, careful


def _crossing(bold: Optimum, careful: Optimum) -> tuple[float, float]:
    """Where the tangents of the dual at both prices meet, and its height: a mixture that meets the goal."""
    price = (bold.utilization - careful.utilization) / max(bold.excess - careful.excess, 1e-12)
    price = min(max(price, bold.price), careful.price)
    return price, bold.utilization - price * bold.excess


class CycleModel:
    """One cycle of world E as an operator on values of (customers in system x, pending invitations k).

    The state just after the invitations were sent moves by jumps until the next cycle; what is earned is
    the busy share of the agents and, priced, the abandonments beyond the goal. Both depend on x alone.

    Values have a last axis of three: busy share, proactive abandonments and acceptances per second over N μ.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        lead_s = cell.response_s + cell.period_s
        demand = lead_s * (cell.agents / cell.service_s + cell.reactive_per_s)
        queue = cell.goal * cell.agents * cell.patience_s / cell.service_s
        spread = np.sqrt(demand + queue + 1.0)
        load = cell.reactive_per_s * cell.service_s / cell.agents
        self.lowest = max(
            0, int(cell.agents - 12.0 - 9.0 * spread - 4.0 * load * np.sqrt(cell.agents))
        )
        highest = int(cell.agents + 5.0 + 2.0 * queue + 4.0 * spread + 20.0 * load)
        self.in_system = np.arange(self.lowest, highest + 1, dtype=np.float64)
        room = cell.agents - self.lowest + demand + queue
        self.pending = np.arange(int(1.25 * room / cell.acceptance) + 4, dtype=np.float64)
        self.shape = (self.in_system.size, self.pending.size)
        self._rate, self._jump = self._jumps()
        self._weights = _poisson(self._rate * cell.period_s)
        self._earned = self._integrated(self._per_second())
        self._values = np.zeros((*self.shape, 3))

    def optimum(self, price: float) -> Optimum:
        """Relative value iteration at one price; starts from the values of the price before.

        What is earned is carried along in three columns under the policy that their priced sum chooses.
        """
        values = self._values
        weights = np.array([1.0, -price, price * self.cell.goal])
        for _ in range(_CYCLES):
            ahead = self._earned + self._after_cycle(values)
            choice = _best_from(ahead @ weights)
            chosen = np.take_along_axis(ahead, choice[..., None], axis=1)
            gain = chosen - values
            values = chosen - chosen[-1:, :1]
            if (
                np.ptp(gain @ weights) <= TOLERANCE / 4.0
                and np.ptp(gain[..., 0]) <= TOLERANCE * 10.0
            ):
                break
        else:
            raise ArithmeticError(f"value iteration does not converge for {self.cell}")
        self._values = values
        busy, abandoned, accepted = 0.5 * (gain.max(axis=(0, 1)) + gain.min(axis=(0, 1)))
        return Optimum(
            price, self.cell.goal, float(busy), float(abandoned), float(accepted), choice[:, 0]
        )

    def from_empty(self, levels: Index) -> Index:
        """Order-up-to levels from x = 0 on; where the model does not reach, those of its emptiest state."""
        return np.concatenate((np.full(self.lowest, levels[0]), levels))

    def _per_second(self) -> Array:
        """Earned in each state: B/N, and over N μ what proactive visitors lose and enter with.

        A visitor who finds x − N before him in the queue leaves with probability (x−N+1)θ / (Nμ + (x−N+1)θ),
        whoever comes after him: so much of θ Q is due to reactive arrivals.
        """
        cell = self.cell
        waiting = np.maximum(self.in_system - cell.agents, 0.0)
        busy = np.minimum(self.in_system, cell.agents) / cell.agents
        relative = cell.service_s / cell.patience_s / cell.agents  # θ / (N μ)
        load = cell.reactive_per_s * cell.service_s / cell.agents
        ahead = np.maximum(self.in_system - cell.agents + 1.0, 0.0) * relative
        lost = waiting * relative
        earned = np.stack((busy, lost - load * ahead / (1.0 + ahead), busy + lost - load), axis=-1)
        return np.broadcast_to(earned[:, None, :], (*self.shape, 3)).copy()

    def _jumps(self) -> tuple[float, sparse.csr_array]:
        """Uniform jump rate Λ and the chain of its jumps, states numbered x-major."""
        cell = self.cell
        rows, columns = self.shape
        place = np.arange(rows * columns).reshape(self.shape)
        up = np.minimum(np.arange(rows) + 1, rows - 1)
        down = np.maximum(np.arange(rows) - 1, 0)
        busy = np.minimum(self.in_system, cell.agents)
        leaving = busy / cell.service_s + (self.in_system - busy) / cell.patience_s
        answers = np.broadcast_to(self.pending / cell.response_s, self.shape)
        fewer = np.maximum(np.arange(columns) - 1, 0)
        moves: list[tuple[NDArray[np.int64], Array]] = [
            (place[down], np.broadcast_to(leaving[:, None], self.shape)),
            (place[up], np.full(self.shape, cell.reactive_per_s)),
            (place[up][:, fewer], cell.acceptance * answers),
            (place[:, fewer], (1.0 - cell.acceptance) * answers),
        ]
        total = np.asarray(sum(rate for _, rate in moves))
        fastest = float(total.max())
        moves.append((place, fastest - total))
        size = place.size
        origin = np.tile(place.ravel(), len(moves))
        goal = np.concatenate([target.ravel() for target, _ in moves])
        chance = np.concatenate([rate.ravel() for _, rate in moves]) / fastest
        return fastest, sparse.csr_array((chance, (origin, goal)), shape=(size, size))

    def _after_cycle(self, values: Array) -> Array:
        """Expected values one cycle later: Σ_n Poisson(n; ΛT) Jⁿ values."""
        return self._weighted(values, self._weights)

    def _integrated(self, per_second: Array) -> Array:
        """Mean over the cycle of what each state earns: Σ_n P(more than n jumps in T) / ΛT Jⁿ earned."""
        more = 1.0 - np.cumsum(self._weights)
        return self._weighted(per_second, np.maximum(more, 0.0) / (self._rate * self.cell.period_s))

    def _weighted(self, values: Array, weights: Array) -> Array:
        flat = values.reshape(-1, 3)
        total = weights[0] * flat
        for weight in weights[1:]:
            flat = self._jump @ flat
            total += weight * flat
        return np.asarray(total.reshape(values.shape))


def _best_from(priced: Array) -> Index:
    """For each state the best number of pending invitations not below the present one."""
    backwards = priced[:, ::-1]
    is_best = backwards == np.maximum.accumulate(backwards, axis=1)
    found = np.where(is_best, np.arange(priced.shape[1]), 0)
    return np.asarray(priced.shape[1] - 1 - np.maximum.accumulate(found, axis=1)[:, ::-1])


def _poisson(mean: float) -> Array:
    """Poisson probabilities from 0 to where only a negligible tail is left, normalised."""
    count = np.arange(int(mean + _POISSON_TAIL * np.sqrt(mean) + 8.0))
    log = count * np.log(mean) - mean - np.cumsum(np.log(np.maximum(count, 1)))
    weights = np.exp(log)
    return np.asarray(weights / weights.sum())

"""The bound solver against PACING.md's table and against a dense matrix exponential of a small crew."""

import numpy as np
import pytest
from scipy.linalg import expm

from paceline.simulator.numeric.bound import Cell, solve

TABLE = [
    (Cell(5, 0.1), 0.8177),
    (Cell(5, 0.3), 0.8562),
    (Cell(5, 0.6), 0.9000),
    (Cell(5, 0.3, reactive_per_s=0.3 * 5 / 200), 0.8692),
    (Cell(5, 0.3, period_s=1.0), 0.8671),
    (Cell(20, 0.6), 0.9532),
]
LARGE = [
    (Cell(20, 0.1), 0.9380),
    (Cell(20, 0.3), 0.9445),
    (Cell(20, 0.3, reactive_per_s=0.3 * 20 / 200), 0.9467),
    (Cell(20, 0.3, period_s=1.0), 0.9494),
    (Cell(100, 0.1), 0.9880),
    (Cell(100, 0.3), 0.9888),
    (Cell(100, 0.6), 0.9899),
    (Cell(100, 0.3, reactive_per_s=0.3 * 100 / 200), 0.9887),
    (Cell(100, 0.3, period_s=1.0), 0.9907),
    (Cell(500, 0.3), 0.9989),
]


@pytest.mark.parametrize(("cell", "published"), TABLE)
def test_small_crews_have_the_published_bound(cell: Cell, published: float) -> None:
    """PACING.md's table, "Worlds for the simulator": U* to its last digit, at the goal or just under it."""
    bound = solve(cell)
    assert bound.utilization == pytest.approx(published, abs=1e-4)
    assert 0.6 * cell.goal <= bound.abandoned_share <= cell.goal


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "published"), LARGE)
def test_large_crews_have_the_published_bound(cell: Cell, published: float) -> None:
    """The rest of the table."""
    assert solve(cell).utilization == pytest.approx(published, abs=1e-4)


def reached(cell: Cell, levels: list[int], highest: int) -> tuple[float, float]:
    """Utilization and abandoned share of one order-up-to rule, from the stationary law of a dense chain."""
    rows, columns = highest + 1, max(levels) + 1
    rates = np.zeros((rows * columns, rows * columns))
    for x in range(rows):
        for k in range(columns):
            here = x * columns + k
            busy, waiting = min(x, cell.agents), max(x - cell.agents, 0)
            if x:
                rates[here, here - columns] += busy / cell.service_s + waiting / cell.patience_s
            if k:
                up = here + columns if x < highest else here
                rates[here, up - 1] += cell.acceptance * k / cell.response_s
                rates[here, here - 1] += (1 - cell.acceptance) * k / cell.response_s
    rates -= np.diag(rates.sum(axis=1))
    invite = np.zeros_like(rates)
    for x in range(rows):
        for k in range(columns):
            invite[x * columns + k, x * columns + max(k, levels[x])] = 1.0
    cycle = invite @ expm(rates * cell.period_s)
    law = np.linalg.lstsq(
        np.vstack((cycle.T - np.eye(len(cycle)), np.ones(len(cycle)))),
        np.append(np.zeros(len(cycle)), 1.0),
        rcond=None,
    )[0]
    steps = 20
    inside = expm(rates * cell.period_s / steps)
    passing, busy_share, lost = law @ invite, 0.0, 0.0
    x_of = np.repeat(np.arange(rows), columns)
    for step in range(steps + 1):
        weight = (0.5 if step in (0, steps) else 1.0) / steps
        busy_share += weight * passing @ np.minimum(x_of, cell.agents) / cell.agents
        lost += weight * passing @ np.maximum(x_of - cell.agents, 0) / cell.patience_s
        passing = passing @ inside
    served = busy_share * cell.agents / cell.service_s
    return float(busy_share), float(lost / (lost + served))


def test_no_rule_passes_the_bound_and_its_own_comes_near() -> None:
    """N = 2, p = .7: of all order-up-to rules within the goal none is above U*; the solver's own is next to it."""
    cell = Cell(2, 0.7, response_s=20.0, service_s=150.0, period_s=10.0, goal=0.05)
    bound = solve(cell)
    own = reached(cell, bound.order_up_to.tolist(), len(bound.order_up_to) - 1)
    assert own[1] == pytest.approx(bound.abandoned_share, abs=2e-4)
    best = 0.0
    for empty in range(2, 7):
        for one in range(4):
            for full in range(2):
                levels = [empty, one, full, *[0] * 6]
                utilization, abandoned_share = reached(cell, levels, 8)
                if abandoned_share <= cell.goal:
                    best = max(best, utilization)
    assert own[0] - 1e-3 <= best <= bound.utilization + 1e-4
    assert best >= 0.97 * bound.utilization

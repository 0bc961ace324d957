"""Erlang B and A against published values and against the sums over states they stand for."""

import numpy as np
import pytest

from paceline.numerics.binomial import expected_overflow
from paceline.numerics.erlang import abandonment_share, blocking, highest_arrival_rate


def states(agents: int, arrival: float, release: float, leave: float) -> float:
    """Share that leaves in M/M/N+M, summed over 4000 states."""
    count = np.arange(1, 4000)
    out = np.minimum(count, agents) * release + np.maximum(count - agents, 0) * leave
    log = np.concatenate(([0.0], np.cumsum(np.log(arrival) - np.log(out))))
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    waiting = np.maximum(np.arange(4000) - agents, 0)
    return float(leave * (waiting * chance).sum() / arrival)


def test_erlang_b_gives_the_tables_values() -> None:
    """Published Erlang B tables: 10 lines at 4.461 erlang and 100 lines at 84.06 erlang both block 1 %."""
    found = blocking(np.array([10.0, 100.0, 0.0]), np.array([4.461, 84.06, 3.0]))
    assert np.allclose(found, [0.01, 0.01, 1.0], atol=2e-5)


@pytest.mark.parametrize("agents", [1, 5, 20, 100, 500])
@pytest.mark.parametrize("load", [0.3, 0.9, 1.0, 1.3])
def test_erlang_a_is_the_sum_over_its_states(agents: int, load: float) -> None:
    """Handle time 200 s, patience 60 s: the closed form equals the stationary sum to 1e-6."""
    arrival = load * agents / 200.0
    closed = abandonment_share(
        np.array([float(agents)]), np.array([arrival]), np.array([1 / 200]), np.array([1 / 60])
    )
    assert closed[0] == pytest.approx(states(agents, arrival, 1 / 200, 1 / 60), abs=1e-6)


def test_highest_rate_loses_exactly_the_goal() -> None:
    """At the rate found Erlang A loses the goal; without agents or with goal 0 the rate is 0."""
    agents = np.array([1.0, 5.0, 50.0, 5000.0])
    release, leave, goal = np.full(4, 1 / 200), np.full(4, 1 / 60), np.full(4, 0.03)
    rate = highest_arrival_rate(agents, release, leave, goal)
    assert np.allclose(abandonment_share(agents, rate, release, leave), 0.03, atol=1e-5)
    assert highest_arrival_rate(np.zeros(1), release[:1], leave[:1], goal[:1])[0] == 0.0
    assert highest_arrival_rate(agents, release, leave, np.zeros(4)).max() == 0.0


def test_expected_overflow_is_the_binomial_sum() -> None:
    """E[(Bin(6, .5) - 4)⁺] = (6·1 + 1·2)/64; nothing overflows while all fit; no seats lose all."""
    found = expected_overflow(np.array([4.0, 6.0, 0.0]), np.full(3, 6.0), np.full(3, 0.5))
    assert np.allclose(found, [8 / 64, 0.0, 3.0])

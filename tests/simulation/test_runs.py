"""Rehearsals that must pass: a few minutes in the fast run, many hours in the thorough one."""

import pytest

from paceline.simulator.whole.plan import Plan
from paceline.simulator.whole.run import rehearse


def _passes(plan: Plan) -> None:
    outcome = rehearse(plan)
    assert outcome.failure is None, (plan.command, outcome.failure)
    assert outcome.interactions > 0


@pytest.mark.integration
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_rough_minutes(seed: int) -> None:
    """Every invariant holds under rough faults, and the site is live again after them."""
    _passes(Plan(seed=seed, duration_s=600.0, profile="rough", scale=0.05))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_two_hostile_hours(seed: int) -> None:
    """Twenty simulated hours over ten seeds under hostile faults."""
    _passes(Plan(seed=seed, duration_s=7200.0, profile="hostile"))

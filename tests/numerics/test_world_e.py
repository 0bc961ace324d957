"""The position rule in world E of PACING.md: utilization and abandonment reached."""

import pytest

from tests.numerics.world_e import WorldE, simulate


def test_twenty_agents_keep_the_goal_and_stay_busy() -> None:
    """N = 20, p = .3, goal 3 %: utilization ≥ .92 at abandonment ≤ 3.4 % (PACING.md: .935 / .029)."""
    outcome = simulate(WorldE(agents=20, acceptance=0.3), replications=60, cycles=1500)
    assert outcome.utilization >= 0.92
    assert outcome.abandoned_share <= 0.034


@pytest.mark.slow
@pytest.mark.parametrize(
    ("agents", "acceptance", "utilization", "abandoned_share"),
    [
        (5, 0.1, 0.79, 0.032),
        (5, 0.6, 0.88, 0.032),
        (20, 0.1, 0.92, 0.031),
        (20, 0.6, 0.94, 0.031),
        (100, 0.3, 0.984, 0.031),
    ],
)
def test_cells_of_the_grid(
    agents: int, acceptance: float, utilization: float, abandoned_share: float
) -> None:
    """Each cell comes within a point of the position rule's figures in PACING.md."""
    world = WorldE(agents=agents, acceptance=acceptance)
    outcome = simulate(world, replications=40, cycles=3600)
    assert outcome.utilization >= utilization
    assert outcome.abandoned_share <= abandoned_share


@pytest.mark.slow
def test_reactive_load_is_served_within_the_goal() -> None:
    """With 30 % of the work reactive, N = 20: utilization ≥ .93, abandonment ≤ 3.3 %."""
    world = WorldE(agents=20, acceptance=0.3, reactive_rate=0.03)
    outcome = simulate(world, replications=40, cycles=2400)
    assert outcome.utilization >= 0.93
    assert outcome.abandoned_share <= 0.033


def test_progressive_never_lets_anybody_wait() -> None:
    """The progressive policy loses nobody, at a price in utilization."""
    outcome = simulate(
        WorldE(agents=5, acceptance=0.3),
        replications=10,
        cycles=150,
        warm_up=50,
        policy="progressive",
    )
    assert outcome.abandoned_share == 0.0
    assert 0.2 < outcome.utilization < 0.8

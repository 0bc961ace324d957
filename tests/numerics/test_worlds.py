"""The numeric worlds against closed forms: Erlang C, Erlang A, and the acceptance of invitations."""

from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from paceline.simulator.numeric.figures import figures
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.world import TARGET_TOTALS, World

REPLICATIONS = 100
WARM_UP_S, DAY_S = 7200.0, 43_200.0


def queue_law(agents: int, load: float, patience_per_service: float) -> NDArray[np.float64]:
    """Stationary distribution of customers in M/M/N+M: birth and death rates by detailed balance.

    `load` = λ/μ in Erlang, `patience_per_service` = θ/μ (0: M/M/N). Garnett, Mandelbaum, Reiman (2002), section 2.
    """
    present = np.arange(1, 60 * agents)
    deaths = np.minimum(present, agents) + patience_per_service * np.maximum(present - agents, 0)
    weights = np.concatenate(([0.0], np.cumsum(np.log(load / deaths))))
    law = np.exp(weights - weights.max())
    return np.asarray(law / law.sum())


def reactive_only(cell: Cell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Growth of the totals of each replication after the warm-up, without permits."""
    world = World([Part(cell, 0, REPLICATIONS)], seed=1, most_agents=[1.0])
    none = np.zeros(REPLICATIONS, dtype=np.int64)
    while world.now < WARM_UP_S:
        world.pass_cycle(none, 300.0)
    before = world.totals()
    while world.now < DAY_S:
        world.pass_cycle(none, 300.0)
    after = world.totals()
    return after.targets - before.targets, after.sites - before.sites


def close(values: NDArray[np.float64], expected: float) -> bool:
    """Within four standard errors of the mean over replications."""
    error = values.std(ddof=1) / sqrt(values.size)
    return bool(abs(values.mean() - expected) < 4.0 * error)


@pytest.mark.parametrize(("agents", "share"), [(5, 0.9), (20, 1.0)])
def test_reactive_traffic_is_erlang_a(agents: int, share: float) -> None:
    """Utilization, P(abandon) and mean queue of M/M/N+M; θ E[queue] = λ P(abandon) (Little)."""
    cell = Cell(name="erlang a", agents=agents, reactive_share=share)
    targets, sites = reactive_only(cell)
    law = queue_law(agents, agents * share, 200.0 / 60.0)
    queue = float(law @ np.maximum(np.arange(law.size) - agents, 0))
    leaving = queue / 60.0 / (agents * share / 200.0)
    busy = float(law @ np.minimum(np.arange(law.size), agents)) / agents
    passed = DAY_S - WARM_UP_S
    arrived = targets[TARGET_TOTALS.index("reactive_arrived"), :]
    left = targets[TARGET_TOTALS.index("reactive_abandoned"), :]
    assert close(left - leaving * arrived, 0.0)
    assert close(sites[0] / sites[1], busy)
    assert close(targets[TARGET_TOTALS.index("waiting_s")] / passed, queue)
    assert busy == pytest.approx(share * (1.0 - leaving))


def test_patient_customers_make_erlang_c() -> None:
    """N = 10 at 80 %: mean queue C(N, a) ρ/(1 − ρ) with Erlang's C, nobody leaves."""
    cell = Cell(name="erlang c", agents=10, reactive_share=0.8, patience_s=1e9)
    targets, sites = reactive_only(cell)
    law = queue_law(10, 8.0, 0.0)
    delayed = float(law[10:].sum())
    assert delayed == pytest.approx(0.4092, abs=1e-4)  # Erlang's table, 8 Erlang on 10 servers
    queue = targets[TARGET_TOTALS.index("waiting_s")] / (DAY_S - WARM_UP_S)
    assert close(queue, delayed * 0.8 / 0.2)
    assert close(sites[0] / sites[1], 0.8)
    assert not targets[TARGET_TOTALS.index("reactive_abandoned")].any()


@pytest.mark.parametrize("world", ["E", "R"])
def test_the_share_of_invitations_accepted_is_the_cells(world: str) -> None:
    """Acceptance .3 in both worlds: a timeout cuts answers short, not the share."""
    cell = Cell(name="accept", acceptance=0.3, world=world)  # type: ignore[arg-type]  # one of its literals
    part = Part(cell, 0, REPLICATIONS)
    world_now = World([part], seed=2, most_agents=[1.0])
    for cycle in range(400):
        world_now.pass_cycle(np.full(REPLICATIONS, 2 if cycle < 300 else 0, dtype=np.int64), 5.0)
    targets = world_now.arrays.targets
    assert (targets.pending == 0).all()
    share = float(targets.accepted.sum() / targets.resolved.sum())
    assert share == pytest.approx(0.3, abs=4 * sqrt(0.21 / (600 * REPLICATIONS)))


@pytest.mark.slow
def test_the_position_rule_reaches_its_figures_in_both_worlds() -> None:
    """N = 20, p = .3: utilization of PACING.md at least, at its abandonment within 0.2 points."""
    cells = [Cell(name="E", replications=60), Cell(name="R", world="R", replications=60)]
    found = [figures(day, "position") for day in run(cells, policy="position", seed=1)]
    for own, utilization in zip(found, (0.935, 0.921), strict=True):
        assert own.utilization.value >= utilization
        assert own.abandoned.value == pytest.approx(0.0295, abs=0.002)

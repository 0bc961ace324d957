"""Whole days under the pacer: schedules, faults, shared agents, processes."""

from typing import Any

import numpy as np
import pytest

from paceline.simulator.numeric.day import Day
from paceline.simulator.numeric.faults import Faults
from paceline.simulator.numeric.figures import figures
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell, Change, Fault, Pool
from paceline.simulator.numeric.world import SITE_TOTALS, TARGET_TOTALS
from tests.unit.simulator.numeric.centres import day_of, part_of, pass_cycles, world_of


def _per_bucket(day: Day, name: str) -> Any:
    return np.diff(day.targets[:, TARGET_TOTALS.index(name)].sum(axis=(1, 2)))


def test_a_change_takes_effect_at_its_minute() -> None:
    """Acceptance 0.6 to 0.1 at half time: the share of invitations accepted falls as much."""
    day = day_of(8, acceptance=0.6, change=(Change(at_min=30, acceptance=0.1),))
    shares = _per_bucket(day, "accepted") / _per_bucket(day, "sent")
    assert shares[2:6].mean() == pytest.approx(0.6, abs=0.06)
    assert shares[8:].mean() == pytest.approx(0.1, abs=0.04)


def test_agents_and_reactive_customers_follow_their_schedule() -> None:
    """Half the agents from half time on; reactive customers for a quarter of an hour only."""
    changes = (
        Change(at_min=15, reactive_share=0.5),
        Change(at_min=30, reactive_share=0.0, agents_factor=0.5),
    )
    day = day_of(8, change=changes)
    slot_s = np.diff(day.sites[:, SITE_TOTALS.index("slot_s")].sum(axis=1)) / 8 / 300
    assert slot_s[0] == pytest.approx(20)
    assert slot_s[-1] == pytest.approx(10, abs=0.5)
    arrived = _per_bucket(day, "reactive_arrived")
    assert arrived[:3].sum() == arrived[6:].sum() == 0
    assert arrived[3:6].sum() == pytest.approx(8 * 900 * 0.5 * 20 / 200, rel=0.2)


def test_the_bank_day_brings_the_banks_customers() -> None:
    """Between 08:00 and 09:00, scale 1: 84 customers on a mean weekday, spread by half hour."""
    day = day_of(60, world="bank", policy="progressive")
    arrived = day.targets[-1, TARGET_TOTALS.index("reactive_arrived")]
    assert arrived.mean() == pytest.approx(84, rel=0.1)
    assert arrived.var() > 1.5 * arrived.mean()


def test_faults_reach_the_pacer_as_the_pacing_server_would_tell_them() -> None:
    """Frozen: old values once, then none. Reset: counts from zero. Engine lost: its answers unknown."""
    world = world_of(part_of(1, reactive_share=0.3))
    faults = Faults(
        [
            Fault("statistics_frozen", at_min=10, for_s=10),
            Fault("counters_reset", at_min=20),
            Fault("engine_lost", at_min=30, for_s=60),
        ]
    )
    heard = {}
    for cycle in range(400):
        heard[cycle] = faults.heard(world.reading(5.0), 5.0 * cycle, 5.0)
        pass_cycles(world, 1, permits=1)
    assert heard[120].accepted is heard[119].accepted
    assert heard[121].accepted is heard[121].ready is None
    assert heard[121].pending is not None
    assert np.asarray(heard[122].served)[0] > 0
    assert np.asarray(heard[240].accepted)[0] == 0
    assert np.asarray(heard[399].accepted)[0] > 0
    assert heard[360].sent is heard[360].pending is None
    assert heard[372].sent is not None


@pytest.mark.parametrize("kind", ["engine_lost", "master_switch"])
def test_nothing_is_sent_while_engine_or_master_is_away(kind: Any) -> None:
    """Five minutes without: no invitation in that stretch, and the day goes on afterwards."""
    day = day_of(4, fault=(Fault(kind, at_min=20, for_s=300),))
    sent = _per_bucket(day, "sent")
    assert sent[4] == 0
    assert sent[6] > 0


@pytest.mark.parametrize("kind", ["duplicate_cycle", "counters_reset", "statistics_frozen"])
def test_small_faults_change_little(kind: Any) -> None:
    """A cycle told twice, counters from zero, half a minute without statistics: agents stay busy."""
    day = day_of(8, fault=(Fault(kind, at_min=20), Fault(kind, at_min=40)))
    found = figures(day, "position")
    assert found.utilization.value > 0.85
    assert found.abandoned.value < 0.06


def test_shared_agents_take_work_of_both_targets() -> None:
    """Both targets reach the one pool, and each is served."""
    day = day_of(4, targets=2, pools=(Pool(10, (1, 2)),))
    served = day.targets[-1, TARGET_TOTALS.index("served")].sum(axis=0)
    assert (served > 50).all()


def test_cells_of_different_cycle_lengths_come_back_in_order() -> None:
    """Each kind of cell has its own pacer; pieces of replications are put together again."""
    cells = [
        Cell(name=str(period), period_s=period, hours=0.5, warm_up_min=5.0, agents=5)
        for period in (10.0, 5.0, 10.0)
    ]
    told: list[float] = []
    days = run(cells, policy="position", seed=1, replications=3, processes=1, progress=told.append)
    assert [day.part.cell.period_s for day in days] == [10.0, 5.0, 10.0]
    assert all(day.sites.shape[2] == 3 for day in days)
    assert told[-1] == pytest.approx(1.0)


@pytest.mark.slow
def test_processes_change_no_figure() -> None:
    """Replications cut over two processes give the very same totals as in one."""
    cells = [Cell(name="x", hours=0.5, warm_up_min=5.0, agents=5, acceptance=0.3)]
    days = [
        run(cells, policy="position", seed=3, replications=400, processes=count)[0]
        for count in (1, 2)
    ]
    assert (days[0].targets == days[1].targets).all()
    assert (days[0].sites == days[1].sites).all()

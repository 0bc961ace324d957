"""The yardstick of the benchmark: the position rule alone, and our utilization beside it."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from paceline.bench.pacing_rule_alone import rivals
from paceline.pacer import CycleInput
from paceline.simulator.numeric.figures import figures
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.rule_alone import RULE_ALONE, RuleAlone
from paceline.simulator.numeric.scenario import Cell
from tests.unit.simulator.numeric.centres import day_of


def cycle(number: int) -> CycleInput:
    return CycleInput(
        elapsed_s=5.0, accepted=[2.0 * number], abandoned=[0.0], reactive_arrived=[0.0],
        reactive_abandoned=[0.0], served=[2.0 * number], waiting=[0.0], ready=[4.0], busy=[96.0],
        pending=[20.0], sent=[4.0 * number], resolved=[4.0 * number],
    )  # fmt: skip


def alone(goal_percent: float) -> RuleAlone:
    return RuleAlone(goal_percent=np.array([goal_percent]), period_s=np.array([5.0]))


def test_a_higher_goal_and_more_agents_permit_more() -> None:
    """After the same day the rule permits more at goal 20 than at 1, and with ten more agents ready."""
    found = []
    for goal_percent, more in ((1.0, 0.0), (20.0, 0.0), (1.0, 10.0)):
        rule = alone(goal_percent)
        for number in range(120):
            rule.permits(cycle(number))
        found.append(rule.permits(replace(cycle(120), ready=[4.0 + more]))[0])
    assert found[0] < found[1]
    assert found[0] < found[2]


def test_unknown_statistics_stop_it_as_they_stop_the_pacer() -> None:
    """Nothing without statistics from the start, and nothing after four cycles without."""
    rule = alone(3.0)
    assert rule.permits(CycleInput(elapsed_s=5.0, pending=[0.0]))[0] == 0
    for number in range(60):
        rule.permits(cycle(number))
    for _ in range(4):
        last = rule.permits(replace(cycle(60), waiting=None, ready=[9.0]))
    assert last[0] == 0


def test_its_day_keeps_about_the_goal() -> None:
    """World E, 20 agents, goal 3: busy, and abandonment of the goal's size."""
    found = figures(day_of(20, policy=RULE_ALONE, hours=3.0), RULE_ALONE)
    assert found.utilization.value > 0.9
    assert 0.02 < found.abandoned.value < 0.04


@pytest.mark.slow
def test_what_it_reaches_at_another_abandonment_lies_between_its_own_days() -> None:
    """Rivals of days at goal 6, asked at goal 3: more utilization at their abandonment than at the goal's."""
    cell = Cell(name="one", agents=20, hours=3.0, replications=20)
    bold = msgspec.structs.replace(cell, goal_percent=6.0)
    theirs = figures(run([bold], policy=RULE_ALONE, seed=1, processes=1)[0], RULE_ALONE)
    told: list[float] = []
    (rival,) = rivals([cell], [theirs], seed=1, progress=told.append)
    assert rival.abandoned < theirs.abandoned.value
    assert rival.utilization < rival.matched_utilization
    assert rival.matched_utilization == pytest.approx(theirs.utilization.value, abs=0.005)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)

"""The fitted margin, the share that is steered to, and what is remembered when little happens."""

import numpy as np
import pytest

from paceline.pacer import CycleInput, Pacer, PermitReason
from paceline.pacer.estimators import LEAST_AIM, MOST_AIM, aimed_at


def cycle(number: int, **levels: float) -> CycleInput:
    """The state after `number` cycles of one acceptance, one release and two answers each."""
    values = {
        "accepted": float(number), "abandoned": 0.0, "reactive_arrived": 0.0, "reactive_abandoned": 0.0,
        "served": float(number), "sent": 2.0 * number, "resolved": 2.0 * number, "waiting": 0.0,
        "ready": 1.0, "busy": 9.0, "pending": 2.0,
    } | levels  # fmt: skip
    return CycleInput(elapsed_s=5.0, **{name: [value] for name, value in values.items()})


def test_what_is_steered_to_rises_with_goal_and_traffic() -> None:
    """Between 70 and 98.5 % of the goal, the more of it the more abandonments a day may have."""
    goals = np.array([0.001, 0.01, 0.03, 0.2, 0.99])
    for rate in (0.0, 0.001, 0.05, 10.0):
        aim = aimed_at(goals, np.full(goals.size, rate))
        assert (np.diff(aim) > 0.0).all()
        assert (aim >= LEAST_AIM * goals).all()
        assert (aim <= MOST_AIM * goals).all()
    few, many = aimed_at(np.array([0.03, 0.03]), np.array([0.002, 0.5]))
    assert few < many


def test_the_margin_follows_the_usual_crew_not_this_cycles() -> None:
    """Agents who log in this cycle change the safety through the variance alone, and slowly through the crew."""
    pacer = Pacer(["a"])
    for number in range(200):
        before = pacer.step(cycle(number))
    state = pacer.save()
    at_once = Pacer.restore(state).step(cycle(200, ready=31.0)).permits[0]
    assert at_once > before.permits[0] + 10
    for number in range(200, 600):
        later = pacer.step(cycle(number, ready=31.0))
    fresh = Pacer.restore(state)
    first = fresh.step(cycle(200, ready=31.0))
    assert later.safety[0] != pytest.approx(first.safety[0], abs=0.02)


def test_few_abandonments_are_not_forgotten() -> None:
    """Ten visitors who left after 12 s each still say 12 s patience three hours later (prior: 60 s)."""
    pacer = Pacer(["a"])
    for number in range(24):
        pacer.step(cycle(number, waiting=1.0, abandoned=float(number // 2)))
    patience_s = pacer.step(cycle(24, waiting=1.0, abandoned=12.0)).patience_s[0]
    assert patience_s < 25.0
    for number in range(25, 2200):
        output = pacer.step(cycle(number, abandoned=12.0))
    assert output.patience_s[0] == pytest.approx(patience_s, rel=0.1)


def test_rare_reactive_customers_keep_their_rate() -> None:
    """One reactive customer every ten minutes: the reactive load does not fall to zero between two of them."""
    pacer = Pacer(["a"])
    slack = []
    for number in range(1440):
        output = pacer.step(cycle(number, reactive_arrived=float(number // 120)))
        slack.append(output.slack[0])
    assert np.ptp(slack[-240:]) < 0.1


def test_a_careful_start_is_no_credit() -> None:
    """No abandonment in the first 40 minutes allows none beyond the goal later; after an hour it does."""
    pacer = Pacer(["a"])
    debt = [pacer.step(cycle(number)).debt[0] for number in range(720)]
    assert debt[479] == 0.0
    assert debt[719] < -1.0


def test_old_invitations_are_taken_to_be_as_the_young_ones() -> None:
    """40 answers within 10 s, all acceptances: most of what is pending will accept too, not the prior's 30 %."""
    pacer = Pacer(["a"])
    levels = {"served": 0.0, "ready": 80.0, "busy": 20.0}
    pacer.step(cycle(0, **levels, accepted=0.0, sent=0.0, resolved=0.0, pending=0.0))
    pacer.step(cycle(0, **levels, accepted=20.0, sent=100.0, resolved=20.0, pending=80.0))
    output = pacer.step(cycle(0, **levels, accepted=40.0, sent=100.0, resolved=40.0, pending=60.0))
    assert output.acceptance[0] > 0.6


def test_an_idle_crew_is_not_flooded_on_a_guess_of_acceptance() -> None:
    """70 idle agents, nothing known: after as many invitations as agents, the next wait for first answers."""
    pacer = Pacer(["a"], goal_percent=1.0)
    first = pacer.step(cycle(0, ready=70.0, busy=0.0, pending=0.0)).permits[0]
    assert first == 70
    second = pacer.step(
        cycle(0, ready=70.0, busy=0.0, pending=70.0, sent=70.0, accepted=0.0, resolved=0.0)
    )
    assert second.permits[0] <= 15
    assert PermitReason(int(second.reason[0])) in (
        PermitReason.COLD_START,
        PermitReason.NO_CAPACITY_LEFT,
    )

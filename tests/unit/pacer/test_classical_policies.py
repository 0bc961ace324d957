"""The policies of other pacers, each on numbers that can be checked by hand."""

import numpy as np
import pytest
from scipy.stats import binom

from paceline.pacer import CycleInput, Pacer, PermitReason
from paceline.pacer.classical_policies import naive, queueing_rate, ratio, super_progressive
from paceline.pacer.estimators import Estimates
from paceline.pacer.guards import Levels
from paceline.pacer.pacer import POLICIES


def levels(ready: float, busy: float, waiting: float = 0.0, pending: float = 0.0) -> Levels:
    return Levels(*(np.array([value]) for value in (ready, busy, waiting, pending)))


def known(acceptance: float, *, reactive_rate: float = 0.0) -> Estimates:
    """Handle time 200 s, patience 60 s."""
    zero = np.zeros(1)
    return Estimates(
        acceptance=np.array([acceptance]), acceptance_low=zero, acceptance_high=zero, trials=zero,
        coming=zero, coming_variance=zero, accept_delay_s=zero,
        release_rate=np.array([1 / 200]), abandon_rate=np.array([1 / 60]),
        reactive_rate=np.array([reactive_rate]), acceptance_rate=zero,
    )  # fmt: skip


GOAL = np.array([0.03])
FIVE_S = np.array([5.0])


def test_naive_divides_ready_agents_by_acceptance_and_forgets_what_is_pending() -> None:
    """Four ready agents and acceptance .3 give thirteen invitations, every cycle anew."""
    assert naive(levels(4, 6, pending=50), known(0.3)).permits[0] == 13


def test_super_progressive_is_the_largest_overbooking_within_the_goal() -> None:
    """n is checked against the binomial distribution: n keeps the goal, n + 1 does not."""
    for idle, share in ((1, 0.3), (4, 0.3), (10, 0.1), (30, 0.6)):
        n = int(super_progressive(levels(idle, 0), known(share), GOAL).permits[0])

        def lost(count: int, idle: int = idle, share: float = share) -> float:
            taken = np.arange(count + 1)
            chance = binom.pmf(taken, count, share)
            return float((chance * np.maximum(taken - idle, 0)).sum() / (count * share))

        assert n >= idle
        assert lost(n) <= 0.03 < lost(n + 1)


def test_super_progressive_counts_what_is_pending_and_waiting() -> None:
    """Each pending invitation is one less; without idle agents there are none."""
    free = super_progressive(levels(10, 5), known(0.3), GOAL).permits[0]
    assert super_progressive(levels(10, 5, pending=7), known(0.3), GOAL).permits[0] == free - 7
    assert super_progressive(levels(10, 5, waiting=10), known(0.3), GOAL).permits[0] == 0


def test_queueing_rate_sends_the_erlang_a_rate_and_carries_parts() -> None:
    """Over many cycles invitations are rate × time / acceptance, whatever the queue looks like."""
    carried, sent = np.zeros(1), 0.0
    for _ in range(150):
        choice = queueing_rate(levels(5, 0, waiting=9), known(0.3), GOAL, FIVE_S, carried)
        carried, sent = choice.level, sent + choice.permits[0]
    rate = sent * 0.3 / 750.0
    assert 0.3 < rate * 200.0 / 5.0 < 0.6  # offered load per agent; PACING.md: 44 % utilization
    beside = queueing_rate(levels(5, 0), known(0.3, reactive_rate=1.0), GOAL, FIVE_S, carried)
    assert beside.permits[0] <= 1


def test_ratio_rises_while_agents_idle_and_falls_back_over_the_goal() -> None:
    """The level goes from 1 to 3 with idle agents, and to 1 at once when too many have left."""
    level = np.ones(1)
    for _ in range(30):
        choice = ratio(levels(10, 0), FIVE_S, np.zeros(1), level)
        level = choice.level
    assert level[0] == 3.0
    assert choice.permits[0] == 30
    held = ratio(levels(10, 0, pending=2), FIVE_S, np.ones(1), level)
    assert held.level[0] == 1.0
    assert held.permits[0] == 8


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_runs_keeps_its_state_and_explains_itself(policy: str) -> None:
    """Each policy permits something to idle agents with a fitting reason, and is restored as it was."""
    pacer = Pacer(["a"], policy=policy, min_sample=0)
    given = CycleInput(
        elapsed_s=5.0, accepted=[0], abandoned=[0], served=[0], waiting=[0], ready=[40], busy=[10],
        pending=[0], sent=[0], resolved=[0],
    )  # fmt: skip
    output = pacer.step(given)
    assert output.permits[0] > 0
    assert PermitReason(int(output.reason[0])) in (
        PermitReason.FORECAST,
        PermitReason.MULTIPLE,
        PermitReason.PROGRESSIVE,
    )
    twin = Pacer.restore(pacer.save())
    assert np.array_equal(twin.step(given).permits, pacer.step(given).permits)


def test_the_policy_can_change_while_running_and_learning_stays() -> None:
    """set_policy keeps what was learned; an unknown name changes nothing."""
    pacer = Pacer(["a"])
    for number in range(100):
        given = CycleInput(
            elapsed_s=5.0, accepted=[16 * number], sent=[20 * number], resolved=[20 * number],
            pending=[0], waiting=[0], ready=[4], busy=[6],
        )  # fmt: skip
        learned = pacer.step(given).acceptance
    before = pacer.save()
    with pytest.raises(ValueError, match="available: position, progressive"):
        pacer.set_policy("best")
    assert pacer.save() == before
    pacer.set_policy("progressive", min_sample=5)
    output = pacer.step(given)
    assert output.reason[0] == PermitReason.PROGRESSIVE
    assert output.acceptance[0] == pytest.approx(learned[0], abs=0.02)

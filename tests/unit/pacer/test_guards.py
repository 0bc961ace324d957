"""Stale, missing, doubled and impossible input."""

import numpy as np
import pytest

from paceline.pacer import CycleInput, Pacer, PermitReason
from paceline.pacer.pacer import POLICIES

NAN = float("nan")
FIELDS = (
    "accepted", "abandoned", "reactive_arrived", "reactive_abandoned", "served", "waiting", "ready",
    "busy", "pending", "sent", "resolved",
)  # fmt: skip


def cycle(elapsed_s: float = 5.0, **changed: float) -> CycleInput:
    """One target with 4 ready and 6 busy agents and nothing under way."""
    usual = dict.fromkeys(FIELDS, 0.0) | {"ready": 4.0, "busy": 6.0} | changed
    return CycleInput(elapsed_s=elapsed_s, **{name: [value] for name, value in usual.items()})


def taught(cycles: int = 40) -> Pacer:
    """A pacer that has seen twenty invitations and ten acceptances a cycle."""
    pacer = Pacer(["a"])
    for number in range(cycles):
        sent = 20.0 * number
        pacer.step(cycle(sent=sent, resolved=sent, accepted=sent / 2, served=float(number)))
    return pacer


LAST = {"sent": 780.0, "resolved": 780.0, "accepted": 390.0, "served": 39.0}


def test_the_same_cycle_twice_teaches_nothing_and_permits_no_more() -> None:
    """A duplicate with no time passed leaves the estimates where they are; what it was given for is pending."""
    pacer = taught()
    first = pacer.step(cycle(**LAST))
    given = float(first.permits[0])
    again = pacer.step(cycle(0.0, **LAST | {"pending": given, "sent": LAST["sent"] + given}))
    assert again.acceptance[0] == pytest.approx(first.acceptance[0], abs=1e-3)
    assert again.permits[0] < given / 2


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [-1.0, -1e300, 1e16, 1e300])
def test_counts_that_cannot_be_are_unknown(field: str, value: float) -> None:
    """A negative or absurd count of one target is as good as none: the same permits as with NaN."""
    bad = taught().step(cycle(**LAST | {field: value}))
    unknown = taught().step(cycle(**LAST | {field: NAN}))
    assert np.array_equal(bad.permits, unknown.permits)
    assert np.array_equal(bad.reason, unknown.reason)


@pytest.mark.parametrize("policy", POLICIES)
def test_absurd_releases_never_permit_more_than_a_column_holds(policy: str) -> None:
    """A million agents, each free again a billion times a cycle: whole permits, at most 2^31 - 1."""
    pacer = Pacer(["a"], policy=policy)
    pacer.step(cycle(served=0.0, ready=1e6))
    output = pacer.step(cycle(served=9.99e14, ready=1e6))
    assert 0 <= output.permits[0] <= 2**31 - 1


def test_statistics_may_stay_away_for_hours() -> None:
    """After far more cycles than a byte counts nothing is permitted, and one good cycle is enough to go on."""
    pacer = taught()
    gone = cycle(**LAST | dict.fromkeys(("waiting", "ready", "busy"), NAN))
    for _ in range(260):
        output = pacer.step(gone)
    assert PermitReason(int(output.reason[0])) is PermitReason.STALE_STATISTICS
    assert output.permits[0] == 0
    assert pacer.step(cycle(**LAST)).permits[0] > 0


def test_an_engine_that_was_away_is_not_learned_from_at_once() -> None:
    """Answers after a silence cover several cycles: the acceptance does not jump."""
    pacer = taught()
    before = pacer.step(cycle(**LAST)).acceptance[0]
    for _ in range(5):
        pacer.step(cycle(**LAST | dict.fromkeys(("pending", "sent", "resolved"), NAN)))
    back = pacer.step(cycle(**LAST | {"sent": 800.0, "resolved": 800.0}))
    assert back.acceptance[0] == pytest.approx(before, abs=0.01)


def test_one_targets_restart_leaves_the_others_alone() -> None:
    """Counters of one target fall to zero; the neighbour's permits are those of a pacer without it."""
    both, alone = Pacer(["a", "b"]), Pacer(["b"])
    for number in range(40):
        fallen = number if number < 20 else number - 20
        seen = {name: [20.0 * fallen, 20.0 * number] for name in ("sent", "resolved")}
        seen |= {"accepted": [6.0 * fallen, 6.0 * number]}
        level = {
            "pending": [0.0, 0.0],
            "waiting": [0.0, 0.0],
            "ready": [4.0, 4.0],
            "busy": [6.0, 6.0],
        }
        pair = both.step(CycleInput(elapsed_s=5.0, **seen, **level))
        one = alone.step(CycleInput(elapsed_s=5.0, **{k: v[1:] for k, v in (seen | level).items()}))
        assert pair.permits[1] == one.permits[0]

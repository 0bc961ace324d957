"""Single cycles of the pacer."""

import numpy as np
import pytest
from scipy import sparse

from paceline.pacer import CycleInput, Pacer, PermitReason

NAN = float("nan")


def cycle(**changed: object) -> CycleInput:
    """One target with 4 ready and 6 busy agents and nothing under way."""
    usual: dict[str, object] = {
        "accepted": [0], "abandoned": [0], "reactive_arrived": [0], "reactive_abandoned": [0],
        "served": [0], "waiting": [0], "ready": [4], "busy": [6], "pending": [0], "sent": [0],
        "resolved": [0],
    }  # fmt: skip
    return CycleInput(elapsed_s=5.0, **(usual | changed))  # type: ignore[arg-type]  # one dict, many types


def told(pacer: Pacer, given: CycleInput) -> tuple[int, PermitReason]:
    output = pacer.step(given)
    return int(output.permits[0]), PermitReason(int(output.reason[0]))


def test_ready_agents_get_invitations_cautiously_at_first() -> None:
    """A new target invites at once, and says that it is still learning."""
    permits, reason = told(Pacer(["a"]), cycle())
    assert permits > 0
    assert reason is PermitReason.COLD_START


def test_every_reason_of_the_pacer_is_reached() -> None:
    """Each cause the pacer itself knows gives its reason."""
    assert told(Pacer(["a"]), cycle(ready=[0], busy=[0])) == (0, PermitReason.NO_AGENTS)
    assert told(Pacer(["a"]), cycle(waiting=[30])) == (0, PermitReason.NO_CAPACITY_LEFT)
    assert told(Pacer(["a"]), cycle(ready=[NAN])) == (0, PermitReason.NO_STATISTICS)
    assert told(Pacer(["a"]), cycle(pending=[NAN])) == (0, PermitReason.ENGINE_UNREACHABLE)
    assert told(Pacer(["a"], goal_percent=0.0), cycle()) == (4, PermitReason.GOAL_ZERO)
    assert told(Pacer(["a"], policy="progressive"), cycle()) == (4, PermitReason.PROGRESSIVE)
    permits, reason = told(Pacer(["a"], goal_percent=100.0), cycle())
    assert permits > 1_000_000
    assert reason is PermitReason.NO_LIMIT
    assert told(Pacer(["a"], min_sample=0), cycle())[1] is PermitReason.FORECAST


def test_a_target_over_its_goal_is_held_back_and_says_so() -> None:
    """Many visitors lost: no permits ahead of releases, where the same crew without losses gets some."""
    granted = {}
    for share in (0, 1):
        pacer = Pacer(["a"])
        for number in range(30):
            lost = {"accepted": [2 * number], "abandoned": [share * number], "sent": [6 * number]}
            busy = {"ready": [2], "busy": [60], "waiting": [2], "served": [2 * number]}
            last = told(pacer, cycle(resolved=[6 * number], **busy, **lost))
        granted[share] = last
    assert granted[1] == (0, PermitReason.OVER_GOAL)
    assert granted[0][0] > 0


def test_what_cannot_make_anybody_wait_is_always_permitted() -> None:
    """Far over the goal and without reactive traffic, agents who are free still get one invitation each."""
    pacer = Pacer(["a"])
    for number in range(30):
        lost = {"accepted": [2 * number], "abandoned": [number], "sent": [6 * number]}
        permits, _ = told(pacer, cycle(ready=[3], resolved=[6 * number], pending=[1], **lost))
    assert permits == 2


def test_lost_reactive_customers_hold_proactive_traffic_back() -> None:
    """With a reactive goal, abandoned reactive customers reduce permits; without one they do not."""
    granted = []
    for goal in (None, 5.0):
        pacer = Pacer(["a"], reactive_goal_percent=goal)
        for number in range(30):
            own = {"accepted": [2 * number], "sent": [6 * number], "resolved": [6 * number]}
            lost = {"reactive_arrived": [number // 5], "reactive_abandoned": [number // 5]}
            busy = {"ready": [4], "busy": [60], "served": [2 * number]}
            last = told(pacer, cycle(**own, **lost, **busy))
        granted.append(last[0])
    assert granted[1] < granted[0]


def test_missing_statistics_end_in_three_steps() -> None:
    """Two cycles on the last known values, the third progressive, then none."""
    pacer = Pacer(["a"])
    pacer.step(cycle())
    gone = cycle(ready=[NAN], busy=[NAN], waiting=[NAN])
    assert told(pacer, gone)[0] > 0
    assert told(pacer, gone)[0] > 0
    assert told(pacer, gone) == (4, PermitReason.STALE_STATISTICS)
    assert told(pacer, gone) == (0, PermitReason.STALE_STATISTICS)
    assert told(pacer, cycle())[0] > 0


def test_a_silent_engine_stops_permits_after_two_periods() -> None:
    """The first cycle without an answer goes on our own record, the second permits nothing."""
    pacer = Pacer(["a"])
    pacer.step(cycle(ready=[40]))
    silent = cycle(ready=[40], pending=[NAN], sent=[NAN], resolved=[NAN])
    assert told(pacer, silent)[1] is PermitReason.COLD_START
    assert told(pacer, silent) == (0, PermitReason.ENGINE_UNREACHABLE)


def test_an_engine_that_returns_pending_only_is_learned_from() -> None:
    """Without sent and resolved, permits that lead to no acceptance still lower the estimate."""
    pacer = Pacer(["a"])
    for _ in range(60):
        given = cycle(ready=[30], busy=[30], pending=[4], sent=[NAN], resolved=[NAN])
        output = pacer.step(given)
    assert output.acceptance[0] < 0.1


def test_acceptance_and_handle_time_are_learned() -> None:
    """Twenty invitations a cycle of which ten are accepted, one release per 100 busy seconds."""
    pacer = Pacer(["a"])
    for number in range(200):
        output = pacer.step(
            cycle(
                sent=[20 * number], resolved=[20 * number], accepted=[10 * number],
                served=[number], busy=[20],
            )
        )  # fmt: skip
    assert output.acceptance[0] == pytest.approx(0.5, abs=0.02)
    assert output.acceptance_low[0] < 0.5 < output.acceptance_high[0]
    assert output.handle_time_s[0] == pytest.approx(100.0, rel=0.05)


def test_a_jump_of_acceptance_is_noticed() -> None:
    """After .1 → .6 the estimate passes .5 within 15 cycles of twenty invitations."""
    pacer, sent, accepted = Pacer(["a"]), 0, 0
    for number in range(215):
        sent, accepted = sent + 20, accepted + (2 if number < 200 else 12)
        output = pacer.step(cycle(sent=[sent], resolved=[sent], accepted=[accepted]))
    assert output.acceptance[0] > 0.5


def test_shared_agents_are_not_promised_twice() -> None:
    """Two targets on one pool together get about what one target on it gets, and say why."""
    pool = {"pool_ready": [10], "pool_busy": [10]}
    one = Pacer(["a"], reach=sparse.csr_array(np.ones((1, 1))))
    two = Pacer(["a", "b"], reach=sparse.csr_array(np.ones((2, 1))))
    alone = cycle(**pool)
    zeros = np.zeros(2)
    both = CycleInput(
        elapsed_s=5.0, accepted=zeros, abandoned=zeros, served=zeros, waiting=zeros,
        pending=zeros, sent=zeros, resolved=zeros, pool_ready=[10], pool_busy=[10],
    )  # fmt: skip
    single, pair = one.step(alone), two.step(both)
    assert abs(int(pair.permits.sum()) - int(single.permits[0])) <= 2
    assert abs(int(pair.permits[0]) - int(pair.permits[1])) <= 1
    assert (pair.reason == PermitReason.SHARED_AGENTS).all()


def test_targets_come_and_go_and_keep_their_learning() -> None:
    """A kept target keeps what it learned at its new place; a new one starts with the defaults."""
    pacer = Pacer(["a"], goal_percent=5.0)
    for number in range(100):
        pacer.step(cycle(sent=[20 * number], resolved=[20 * number], accepted=[16 * number]))
    pacer.set_targets(["b", "a"])
    names = ("accepted", "abandoned", "served", "waiting", "ready", "busy", "pending")
    output = pacer.step(CycleInput(elapsed_s=5.0, **{name: [NAN, NAN] for name in names}))
    assert pacer.target_ids == ("b", "a")
    assert output.acceptance[1] == pytest.approx(0.8, abs=0.03)
    assert output.acceptance[0] == pytest.approx(0.3, abs=0.03)


def test_a_new_target_learns_from_its_prior_group() -> None:
    """With a prior group a target without evidence starts from its group's acceptance."""
    pacer = Pacer(["a", "b", "c"], prior_group=[1, 1, 2])
    for number in range(60):
        numbers = np.array([number, 0, 0], dtype=float)
        zeros = np.zeros(3)
        output = pacer.step(
            CycleInput(
                elapsed_s=5.0, sent=20 * numbers, resolved=20 * numbers, accepted=16 * numbers,
                pending=zeros, waiting=zeros, ready=zeros + 4, busy=zeros + 4,
            )
        )  # fmt: skip
    assert output.acceptance[1] > 0.5
    assert output.acceptance[2] == pytest.approx(0.3, abs=0.03)


def test_an_unknown_policy_is_refused_with_those_available() -> None:
    """An unknown policy raises and names those available."""
    with pytest.raises(ValueError, match="available: position, progressive, super_progressive"):
        Pacer(["a"], policy="x")


def test_bad_settings_are_refused_and_change_nothing() -> None:
    """A refused set_targets leaves the pacer as it was."""
    pacer = Pacer(["a"])
    pacer.step(cycle())
    before = pacer.save()
    for bad in ({"goal_percent": 101.0}, {"period_s": 0.0}, {"goal_percent": [1.0, 2.0]}):
        with pytest.raises(ValueError, match=r"goal|period"):
            pacer.set_targets(["a"], **bad)
    with pytest.raises(ValueError, match="twice"):
        pacer.set_targets(["a", "a"])
    assert pacer.save() == before


def test_saved_bytes_begin_with_a_version_and_newer_ones_are_refused() -> None:
    """Restore refuses a newer format, foreign bytes and damage, each with a ValueError."""
    saved = Pacer(["a"]).save()
    newer = saved[:4] + (999).to_bytes(2, "big") + saved[6:]
    for bad, words in (
        (newer, "format 999"),
        (b"hello world", "not a saved"),
        (saved[:-9], "damaged"),
    ):
        with pytest.raises(ValueError, match=words):
            Pacer.restore(bad)


def test_the_first_cycle_is_learned_from() -> None:
    """What became of the very first invitations counts at once, after a gap in the statistics nothing does."""
    for before, learned in ([0], True), ([NAN], False):
        pacer = Pacer(["a"])
        pacer.step(cycle(ready=[100], busy=[0], accepted=before))
        pacer.step(cycle(ready=[100], busy=[0], accepted=before, sent=[100], pending=[100]))
        heard = cycle(ready=[80], busy=[20], accepted=[20], sent=[100], pending=[70], resolved=[30])
        assert (pacer.step(heard).acceptance[0] > 0.5) == learned

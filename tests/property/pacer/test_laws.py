"""Laws of the permits: whatever the statistics say, these hold."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from paceline.pacer import CycleInput, CycleOutput, Pacer
from paceline.pacer import pools as pools_module
from paceline.pacer.pacer import POLICIES
from tests.property.pacer.cycles import (
    CUMULATIVE,
    TARGETS,
    Growth,
    days,
    growths,
    hostile,
    inputs,
)

IDS = [f"queue {number} - chat" for number in range(TARGETS)]
GOALS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 5.0, 20.0, 60.0, 99.0])


def run(pacer: Pacer, cycles: list[CycleInput]) -> list[CycleOutput]:
    return [pacer.step(cycle) for cycle in cycles]


def reordered(cycle: CycleInput, order: list[int]) -> CycleInput:
    moved = {
        field.name: np.asarray(getattr(cycle, field.name))[order]
        for field in fields(cycle)
        if field.name != "elapsed_s" and not field.name.startswith("pool_")
    }
    return replace(cycle, **moved)  # type: ignore[arg-type]  # arrays only, never elapsed_s


def pool_levels(cycle: CycleInput) -> dict[str, Any]:
    """Two pools with the agents of the first two targets."""
    return {
        "pool_ready": np.asarray(cycle.ready)[:2],
        "pool_busy": np.asarray(cycle.busy)[:2],
    }


@given(day=days(hostile()), goal=GOALS, policy=st.sampled_from(POLICIES))
def test_permits_are_whole_and_never_negative(day: list[Growth], goal: float, policy: str) -> None:
    """Whatever arrives, permits are int64 ≥ 0 and every diagnostic is a number."""
    pacer = Pacer(IDS, goal_percent=goal, policy=policy)
    for growth in day:
        output = pacer.step(CycleInput(elapsed_s=5.0, **growth))
        assert output.permits.dtype == np.int64
        assert (output.permits >= 0).all()
        for field in fields(output):
            assert np.isfinite(getattr(output, field.name)).all(), field.name


@given(day=days(growths()), goal=GOALS, policy=st.sampled_from(POLICIES))
def test_nobody_is_invited_without_agents(day: list[Growth], goal: float, policy: str) -> None:
    """No agent ready or busy: no permits."""
    day[-1]["ready"] = day[-1]["busy"] = np.zeros(TARGETS)
    pacer = Pacer(IDS, goal_percent=goal, policy=policy)
    assert (run(pacer, inputs(day))[-1].permits == 0).all()


@given(day=days(growths()), goal=GOALS, more=st.integers(1, 5))
def test_more_ready_agents_never_mean_fewer_permits(
    day: list[Growth], goal: float, more: int
) -> None:
    """Permits are monotone in the ready agents of this cycle."""
    state = Pacer(IDS, goal_percent=goal)
    *past, last = inputs(day)
    run(state, past)
    saved = state.save()
    fewer = Pacer.restore(saved).step(last).permits
    ready = np.asarray(last.ready) + more
    assert (Pacer.restore(saved).step(replace(last, ready=ready)).permits >= fewer).all()


@given(day=days(growths(), longest=20), lower=GOALS, higher=GOALS)
def test_a_higher_goal_never_means_fewer_permits_over_a_day(
    day: list[Growth], lower: float, higher: float
) -> None:
    """The total over a day is monotone in the goal; reactive traffic may make goal 0, which ignores it, bolder."""
    lower, higher = min(lower, higher), max(lower, higher)
    for growth in day:
        if lower == 0.0:
            growth["reactive_arrived"] = np.zeros(TARGETS)
    few, many = (
        sum(output.permits for output in run(Pacer(IDS, goal_percent=goal), inputs(day)))
        for goal in (lower, higher)
    )
    assert (np.asarray(few) <= np.asarray(many)).all()


@given(day=days(growths()), policy=st.sampled_from(POLICIES))
def test_goal_zero_stays_within_idle_agents(day: list[Growth], policy: str) -> None:
    """Goal 0: never above max(0, R − Q − K), whatever the policy."""
    pacer = Pacer(IDS, goal_percent=0.0, policy=policy)
    for growth, output in zip(day, run(pacer, inputs(day)), strict=True):
        idle = growth["ready"] - growth["waiting"] - growth["pending"]
        assert (output.permits <= np.maximum(idle, 0.0)).all()


@given(day=days(growths()), cut=st.integers(1, 7))
def test_counter_reset_changes_nothing(day: list[Growth], cut: int) -> None:
    """Counters that start again from zero at a restart give the same permits as unbroken ones."""
    high = 1000.0
    whole = inputs([{**day[0], **{name: day[0][name] + high for name in CUMULATIVE}}, *day[1:]])
    broken = list(whole)
    cut = min(cut, len(whole))
    for position in range(cut, len(whole)):
        fallen = {
            name: np.asarray(getattr(whole[position], name))
            - np.asarray(getattr(whole[cut - 1], name))
            for name in CUMULATIVE
        }
        broken[position] = replace(whole[position], **fallen)
    for one, other in zip(run(Pacer(IDS), whole), run(Pacer(IDS), broken), strict=True):
        assert np.array_equal(one.permits, other.permits)


@given(day=days(hostile()), where=st.sampled_from(["accepted", "ready", "pending", "sent"]))
def test_infinity_is_refused_and_changes_nothing(day: list[Growth], where: str) -> None:
    """An infinity raises ValueError and leaves the state as it was."""
    pacer = Pacer(IDS)
    for growth in day:
        pacer.step(CycleInput(elapsed_s=5.0, **growth))
    before = pacer.save()
    broken = CycleInput(elapsed_s=5.0, **{**day[-1], where: np.full(TARGETS, np.inf)})
    with pytest.raises(ValueError, match=where):
        pacer.step(broken)
    assert pacer.save() == before


@given(day=days(growths()), order=st.permutations(range(TARGETS)))
def test_order_of_targets_is_irrelevant(day: list[Growth], order: list[int]) -> None:
    """The same targets in another order get the same permits."""
    cycles = inputs(day)
    straight = run(Pacer(IDS), cycles)
    other = run(Pacer([IDS[i] for i in order]), [reordered(cycle, order) for cycle in cycles])
    for one, two in zip(straight, other, strict=True):
        assert np.array_equal(one.permits[order], two.permits)


@given(day=days(growths()), cut=st.integers(0, 7), policy=st.sampled_from(POLICIES))
def test_restored_pacer_has_the_same_future(day: list[Growth], cut: int, policy: str) -> None:
    """A pacer restored at any moment goes on exactly as the saved one."""
    cycles = inputs(day)
    pacer = Pacer(IDS, policy=policy)
    run(pacer, cycles[:cut])
    twin = Pacer.restore(pacer.save())
    for cycle in cycles[cut:]:
        one, two = pacer.step(cycle), twin.step(cycle)
        for field in fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(two, field.name))
    assert twin.save() == pacer.save()


@given(day=days(growths()), split=st.integers(1, TARGETS - 1))
def test_splitting_targets_over_two_pacers_changes_nothing(day: list[Growth], split: int) -> None:
    """Targets that share neither agents nor prior group do not know of one another."""
    cycles = inputs(day)
    whole = run(Pacer(IDS), cycles)
    parts = [
        run(Pacer([IDS[i] for i in part]), [reordered(cycle, part) for cycle in cycles])
        for part in (list(range(split)), list(range(split, TARGETS)))
    ]
    for cycle, output in enumerate(whole):
        joined = np.concatenate([part[cycle].permits for part in parts])
        assert np.array_equal(joined, output.permits)


@pytest.mark.parametrize("reach", [None, [[1, 0], [0, 1], [0, 1]], [[1, 0], [0, 1], [1, 0]]])
@given(day=days(growths()), length=st.integers(1, TARGETS))
def test_blocks_of_targets_change_nothing(
    day: list[Growth], length: int, reach: list[list[int]] | None
) -> None:
    """Going through the targets block by block, those that share agents together, changes no number."""
    pools = None if reach is None else sparse.csr_array(np.array(reach))
    cycles = [
        replace(cycle, **({} if pools is None else pool_levels(cycle))) for cycle in inputs(day)
    ]
    groups = [1, 1, -1]
    whole = run(Pacer(IDS, reach=pools, prior_group=groups), cycles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools_module, "BLOCK_TARGETS", length)
        parts = run(Pacer(IDS, reach=pools, prior_group=groups), cycles)
    for one, other in zip(whole, parts, strict=True):
        for field in fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name))


@given(day=days(growths()))
def test_splitting_groups_that_share_agents_changes_nothing(day: list[Growth]) -> None:
    """Two targets on one pool and a third on its own: one pacer or two give the same permits."""
    both, alone = [0, 1], [2]
    shared = sparse.csr_array(np.ones((2, 1)))
    own = sparse.csr_array(np.ones((1, 1)))
    whole = Pacer(IDS, reach=sparse.csr_array(sparse.block_diag((shared, own))))
    pair, single = Pacer(IDS[:2], reach=shared), Pacer(IDS[2:], reach=own)
    for cycle in inputs(day):
        ready, busy = np.asarray(cycle.ready)[[0, 2]], np.asarray(cycle.busy)[[0, 2]]
        permits = whole.step(replace(cycle, pool_ready=ready, pool_busy=busy)).permits
        first = replace(reordered(cycle, both), pool_ready=ready[:1], pool_busy=busy[:1])
        second = replace(reordered(cycle, alone), pool_ready=ready[1:], pool_busy=busy[1:])
        joined = np.concatenate([pair.step(first).permits, single.step(second).permits])
        assert np.array_equal(joined, permits)


@given(day=days(hostile()), policy=st.sampled_from(POLICIES))
def test_shared_agents_stand_any_input(day: list[Growth], policy: str) -> None:
    """With a chain of shared pools, too, permits are whole and not negative and diagnostics are numbers."""
    reach = sparse.csr_array(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.3]]))
    pacer = Pacer(IDS, reach=reach, policy=policy)
    for growth in day:
        pools = {"pool_ready": growth["ready"], "pool_busy": growth["busy"]}
        output = pacer.step(CycleInput(elapsed_s=5.0, **growth, **pools))
        assert (output.permits >= 0).all()
        for field in fields(output):
            assert np.isfinite(getattr(output, field.name)).all(), field.name


@given(day=days(growths()))
def test_reach_of_own_pools_is_no_reach(day: list[Growth]) -> None:
    """A pool of its own per target gives the permits of a pacer without reach."""
    alone, pooled = Pacer(IDS), Pacer(IDS, reach=sparse.csr_array(np.eye(TARGETS)))
    for cycle in inputs(day):
        shared = replace(cycle, pool_ready=cycle.ready, pool_busy=cycle.busy)
        assert np.array_equal(alone.step(cycle).permits, pooled.step(shared).permits)

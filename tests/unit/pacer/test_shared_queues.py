"""Interactions that several targets report are counted once, those each reports alone are added up."""

import numpy as np
import pytest
from scipy import sparse

from paceline.pacer import CycleInput, Pacer
from paceline.pacer.pools import SharedTargets, connected

PAIR = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
CHAIN = np.array(
    [[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]
)


def shared(reach: object) -> SharedTargets:
    found = connected(sparse.csr_array(np.asarray(reach, dtype=float))).blocks[0].shared
    assert found is not None
    return found


def own(reach: object, reported: list[float], evidence: int = 0) -> list[float]:
    """How many wait in each target's own queue."""
    of, values = shared(reach).overlap, np.array(reported)
    known = np.full(values.size, evidence, dtype=np.int8)
    parts: list[float] = of.own_parts(of.solved(values), known).tolist()
    return parts


def test_two_targets_that_see_the_same_queues_count_them_once() -> None:
    """Own, own and shared agents: both report all three who wait."""
    assert own(PAIR, [3.0, 3.0]) == pytest.approx([1.5, 1.5])
    assert own(np.ones((5, 1)), [2.0] * 5) == pytest.approx([0.4] * 5)


def test_targets_that_report_their_own_queues_are_added_up() -> None:
    """Different numbers cannot come from the same queues; evidence against overlap keeps equal ones apart, too."""
    assert own(PAIR, [3.0, 1.0]) == [3.0, 1.0]
    assert own(PAIR, [3.0, 3.0], evidence=-1) == [3.0, 3.0]


def test_a_chain_of_targets_sees_its_neighbours_queues() -> None:
    """Queues 1, 2, 0, 4 of a chain are reported as 3, 3, 6, 4."""
    assert own(CHAIN, [3.0, 3.0, 6.0, 4.0]) == pytest.approx([1.0, 2.0, 0.0, 4.0], abs=1e-9)


def test_components_do_not_mix_and_single_targets_stay_as_they_are() -> None:
    """A pair, a single target, one that reaches nobody, and another pair: only the pairs are counted together."""
    reach = sparse.block_diag((PAIR, np.ones((1, 1)), np.zeros((1, 1)), PAIR)).toarray()
    assert np.arange(6)[shared(reach).rows].tolist() == [0, 1, 4, 5]
    assert own(reach, [2.0, 2.0, 5.0, 4.0]) == pytest.approx([1.0, 1.0, 5.0, 4.0])


def test_evidence_is_lost_at_once_and_won_slowly() -> None:
    """One disagreement outweighs three agreements; nobody waiting says nothing."""
    overlap = shared(PAIR).overlap
    evidence = np.zeros(2, dtype=np.int8)
    for waiting, expected in (([0, 0], 0), ([1, 0], -4), ([2, 2], -3), ([0, 0], -3), ([1, 1], -2)):
        evidence = overlap.weighed(overlap.solved(np.array(waiting, dtype=float)), evidence)
        assert evidence.tolist() == [expected, expected]


def test_own_abandonments_are_seen_over_the_queues_reported() -> None:
    """Patience is learned from those who left the same queues whose waiting is reported."""
    overlap = shared(CHAIN).overlap
    left = np.array([1.0, 2.0, 4.0, 8.0])
    assert overlap.seen_by_each(left, np.zeros(4)).tolist() == [3.0, 7.0, 14.0, 12.0]
    assert overlap.seen_by_each(left, np.full(4, -1)).tolist() == left.tolist()


def test_very_large_components_are_added_up() -> None:
    """More kinds of targets than are solved for: the cautious reading, every report counts."""
    size = 70
    reach = np.eye(size) + np.eye(size, k=1)
    assert own(reach, [1.0] * size) == [1.0] * size


def test_the_pacer_sees_shared_waiting_once() -> None:
    """Two targets that both report the six waiting get about what one target with six waiting gets."""

    def permits(targets: int) -> float:
        pacer = Pacer(
            [f"t{n}" for n in range(targets)], reach=sparse.csr_array(np.ones((targets, 1)))
        )
        zeros = np.zeros(targets)
        output = pacer.step(
            CycleInput(
                elapsed_s=5.0, accepted=zeros, abandoned=zeros, served=zeros, waiting=zeros + 6,
                pending=zeros, sent=zeros, resolved=zeros, pool_ready=[20], pool_busy=[10],
            )
        )  # fmt: skip
        return float(output.permits.sum())

    assert permits(1) > 0
    assert abs(permits(2) - permits(1)) <= 2


def test_lopsided_groups_are_split_by_what_each_can_reach() -> None:
    """Own 2, own 15, shared 10: the small one gets 7 of 27 parts, within rounding."""
    reach = sparse.csr_array(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]))
    pacer = Pacer(["small", "large"], reach=reach, min_sample=0)
    zeros = np.zeros(2)
    output = pacer.step(
        CycleInput(
            elapsed_s=5.0, accepted=zeros, abandoned=zeros, served=zeros, waiting=zeros,
            pending=zeros, sent=zeros, resolved=zeros, pool_ready=[2, 15, 10], pool_busy=[0, 0, 0],
        )
    )  # fmt: skip
    small, large = output.permits.tolist()
    assert 0.2 < small / (small + large) < 0.32

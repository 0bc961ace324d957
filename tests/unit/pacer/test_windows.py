"""A target sees the agents it reaches and the part of everybody's work that falls on them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from paceline.pacer import CycleInput, Pacer
from paceline.pacer import pools as pools_module
from paceline.pacer.pools import SharedTargets, connected
from paceline.pacer.state import Array

PAIR = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
CHAIN = np.array(
    [[1.0, 1.0, 0.0, 0.0, 0.0], [0, 1.0, 1.0, 0, 0], [0, 0, 1.0, 1.0, 0], [0, 0, 0, 1.0, 1.0]]
)


def shared(reach: Array) -> SharedTargets:
    found = connected(sparse.csr_array(reach)).blocks[0].shared
    assert found is not None
    return found


def cycle(targets: int, **changed: object) -> CycleInput:
    usual: dict[str, object] = dict.fromkeys(
        ("accepted", "abandoned", "served", "waiting", "pending", "sent", "resolved"),
        np.zeros(targets),
    )
    return CycleInput(elapsed_s=5.0, **(usual | changed))  # type: ignore[arg-type]  # one dict, many types


@pytest.mark.parametrize("reach", [PAIR, CHAIN, np.ones((3, 1))])
def test_at_the_fair_split_every_window_holds_as_much_work_as_agents(reach: Array) -> None:
    """Each target working at its fair part fills exactly the agents that any target reaches."""
    agents = np.arange(2.0, 2.0 + reach.shape[1])
    targets = shared(reach)
    seen = targets.windows(agents).around(targets.fair_parts(agents))
    assert seen == pytest.approx(reach @ agents)


def test_windows_of_a_chain_end_at_the_next_target() -> None:
    """Ends do not see each other; of a neighbour's work on 5 + 5 shared halves, half falls into the window."""
    windows = shared(CHAIN).windows(np.full(5, 5.0))
    assert windows.around(np.array([6.0, 0.0, 0.0, 0.0])) == pytest.approx([6.0, 2.0, 0.0, 0.0])
    assert windows.around(np.array([0.0, 6.0, 0.0, 0.0])) == pytest.approx([3.0, 6.0, 3.0, 0.0])


def test_one_pool_is_split_evenly_and_never_twice() -> None:
    """Ten acceptances for two targets: five each; with four on the way to one of them, seven and three."""
    windows = shared(np.ones((2, 1))).windows(np.array([20.0]))
    room, none = np.full(2, 10.0), np.zeros(2)
    assert windows.split(room, none, none) == pytest.approx([5.0, 5.0])
    given = windows.split(room, np.full(2, 4.0), np.array([4.0, 0.0]))
    assert given == pytest.approx([3.0, 7.0])


def test_a_target_far_away_does_not_take_permits() -> None:
    """Sixty waiting at one end of a chain: the other end, with idle agents, is invited for as if alone."""
    reach = sparse.csr_array(CHAIN)
    levels = {"pool_ready": [4, 4, 0, 0, 0], "pool_busy": [2, 2, 5, 5, 5]}
    permits = [
        Pacer(list("abcd"), reach=reach).step(cycle(4, waiting=[0, 0, 0, last], **levels)).permits
        for last in (0, 60)
    ]
    assert permits[0][0] == permits[1][0] > 0
    assert permits[1][3] == 0


def test_progressive_permits_find_an_agent_each() -> None:
    """Whatever is pending and whoever shares: all who are permitted can be served, too (a linear program)."""
    draw = np.random.default_rng(3)
    for _ in range(25):
        reach = (draw.random((4, 4)) < 0.45).astype(float)
        ready, pending = draw.poisson(4, 4), draw.poisson(1.5, 4)
        pacer = Pacer(list("abcd"), reach=sparse.csr_array(reach), policy="progressive")
        levels = {"pool_ready": ready, "pool_busy": np.full(4, 3)}
        permits = pacer.step(cycle(4, pending=pending, **levels)).permits
        more = _served(reach, ready, pending + permits) - _served(reach, ready, pending)
        assert more == pytest.approx(permits.sum())


def _served(reach: Array, ready: Array, asked: Array) -> float:
    """The most of `asked` that the idle agents can serve."""
    target, pool = np.nonzero(reach)
    if target.size == 0:
        return 0.0
    limits = np.concatenate(
        (np.arange(4)[:, None] == target[None, :], np.arange(4)[:, None] == pool[None, :])
    )
    found = linprog(-np.ones(target.size), A_ub=limits, b_ub=np.concatenate((asked, ready)))
    return float(-found.fun)


def test_releases_of_shared_agents_give_their_handle_time() -> None:
    """Every target is told all releases of the agents it reaches (§3.8), whoever else is: 200 s."""
    pacer = Pacer(["a", "b"], reach=sparse.csr_array(PAIR))
    served = np.zeros(2)
    for _ in range(60):
        served = served + np.array([20.0, 15.0]) * 60.0 / 200.0
        given = cycle(2, served=served, pool_ready=[1, 1, 1], pool_busy=[10, 5, 10])
        handle_time_s = pacer.step(replace(given, elapsed_s=60.0)).handle_time_s
    assert handle_time_s == pytest.approx([200.0, 200.0], rel=0.03)


def test_those_who_share_stay_in_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of about two targets: alone, a pair, three with one in between, alone."""
    monkeypatch.setattr(pools_module, "BLOCK_TARGETS", 2)
    pool_of = [0, 1, 1, 2, 3, 2, 2, 4]
    reach = sparse.csr_array((np.ones(8), (np.arange(8), pool_of)), shape=(8, 5))
    blocks = connected(reach).blocks
    assert [(block.part.start, block.part.stop) for block in blocks] == [
        (0, 1),
        (1, 3),
        (3, 7),
        (7, 8),
    ]
    assert [block.shared is None for block in blocks] == [True, False, False, True]

"""The event-driven worlds: what is conserved, what repeats, what each part of a cell does."""

from typing import Any

import numpy as np
import pytest

from paceline.simulator.numeric.layout import most_pending
from paceline.simulator.numeric.scenario import Pool
from paceline.simulator.numeric.world import World
from tests.unit.simulator.numeric.centres import part_of, pass_cycles, world_of

CENTRES: list[dict[str, Any]] = [
    {"world": "E", "agents": 5},
    {"world": "R", "agents": 5, "slots": 3, "reactive_share": 0.5},
    {"world": "R", "agents": 8, "silent_share": 0.4, "visitors_per_s": 0.2},
    {"world": "bank", "agents": 6, "reactive_share": 0.4},
    {
        "world": "E",
        "targets": 2,
        "reactive_share": 0.2,
        "pools": (Pool(2, (1,)), Pool(2, (2,)), Pool(4, (1, 2))),
    },
]


@pytest.mark.parametrize("values", CENTRES)
def test_nobody_is_lost(values: dict[str, Any]) -> None:
    """What came = served + left + waiting + with an agent, in each replication; sent = resolved + pending."""
    world = world_of(part_of(6, **values))
    for _ in range(20):
        pass_cycles(world, 20, permits=2)
        t, pools = world.arrays.targets, world.arrays.pools
        came = t.accepted + t.reactive_arrived
        gone = t.served + t.abandoned + t.reactive_abandoned
        inside = pools.in_use.reshape(6, -1).sum(axis=1)
        per_site = (came - gone - t.waiting).reshape(6, -1).sum(axis=1)
        assert (per_site == inside).all()
        assert (t.sent == t.resolved + t.pending).all()
        assert (t.accepted <= t.resolved).all()
    assert t.accepted.sum() > 50
    assert t.abandoned.sum() > 0


def test_agents_are_never_overloaded_and_load_is_told_apart() -> None:
    """Slots in use are the sum of the agents' loads, none above its slots; ready + busy = all slots."""
    world = world_of(part_of(5, agents=4, slots=3))
    pass_cycles(world, 300, permits=3)
    agents, pools = world.arrays.agents, world.arrays.pools
    assert agents.load.max() == 3
    assert (np.bincount(agents.pool, weights=agents.load) == pools.in_use).all()
    reading = world.reading(5.0)
    assert (np.asarray(reading.ready) + np.asarray(reading.busy) == 12).all()
    totals = world.totals().sites
    assert (
        totals[0] / totals[1] < totals[2] / totals[3]
    ).all()  # people are busy with one of three


def _told(world: World) -> tuple[list[int], list[int]]:
    targets = world.arrays.targets
    return list(map(int, targets.accepted)), list(map(int, targets.abandoned))


def test_a_seed_repeats_whatever_runs_beside() -> None:
    """A replication depends on seed, cell and its number: not on what else is simulated with it."""
    alone = world_of(part_of(3, first=2, world="R"))
    beside = world_of(part_of(4, name="other", agents=9), part_of(6, world="R"))
    other = world_of(part_of(3, first=2, world="R"), seed=2)
    for world in (alone, beside, other):
        pass_cycles(world, 300, permits=3)
    assert _told(alone)[0] == _told(beside)[0][6:9]
    assert _told(alone)[1] == _told(beside)[1][6:9]
    assert _told(alone) != _told(other)


def test_few_visitors_limit_what_is_sent() -> None:
    """With 0.1 visitors a second no more invitations go out than visitors come, whatever is permitted."""
    world = world_of(part_of(50, visitors_per_s=0.1))
    pass_cycles(world, 720, permits=100)
    assert world.arrays.targets.sent.mean() == pytest.approx(360, rel=0.02)


def test_no_more_are_invited_than_there_are_on_the_page() -> None:
    """A million permits send one invitation per visitor present, not a million."""
    part = part_of(2, agents=3)
    world = world_of(part)
    pass_cycles(world, 50, permits=1_000_000)
    assert (world.arrays.targets.pending <= most_pending(part.cell)).all()


def test_those_who_leave_silently_take_an_agents_time() -> None:
    """Silent ones are not counted as abandoned but served, for the seconds that an agent needs to see it."""
    talks = []
    for share in (0.0, 1.0):
        world = world_of(part_of(30, agents=2, silent_share=share, silent_s=1.0))
        pass_cycles(world, 500, permits=2)
        t = world.arrays.targets
        talks.append(world.arrays.pools.in_use_s.sum() / t.served.sum())
    assert t.abandoned.sum() == 0
    assert t.silent.sum() > 1000
    assert talks[1] < 0.5 * talks[0]


def test_leavers_finish_and_are_no_longer_counted_on() -> None:
    """Agents who log out while busy stay until their customers are gone; statistics no longer show them."""
    world = world_of(part_of(20, agents=10))
    pass_cycles(world, 200, permits=5)
    world.log_in(0, 0.5)
    pools = world.arrays.pools
    assert (pools.present > 5).all()
    reading = world.reading(5.0)
    assert (np.asarray(reading.ready) + np.asarray(reading.busy) == 5).all()
    pass_cycles(world, 2000, permits=0)
    assert (pools.present == 5).all()
    world.log_in(0, 1.0)
    pass_cycles(world, 200, permits=5)
    assert (pools.in_use == 10).mean() > 0.5


def test_a_target_is_served_by_its_own_pools_only() -> None:
    """With invitations for the first target alone, the pool it does not reach stays idle."""
    pools = (Pool(2, (1,)), Pool(2, (2,)))
    world = world_of(part_of(5, targets=2, pools=pools))
    counts = np.array([5, 0] * 5, dtype=np.int64)
    for _ in range(200):
        world.pass_cycle(counts, 5.0)
    busy = world.arrays.pools.in_use_s.reshape(5, 2)
    assert (busy[:, 0] > 0.0).all()
    assert (busy[:, 1] == 0.0).all()


@pytest.mark.parametrize("sees", ["shared", "own"])
def test_statistics_of_shared_agents_are_those_of_the_stat_server(sees: str) -> None:
    """Releases are those of all agents a target reaches; queues its own, or of all that share agents with it."""
    pools = (Pool(2, (1,)), Pool(2, (1, 2)), Pool(2, (3,)))
    world = world_of(part_of(4, targets=3, pools=pools, reactive_share=0.3, sees=sees))
    pass_cycles(world, 200, permits=4)
    targets, reading = world.arrays.targets, world.reading(5.0)
    by_pool = world.arrays.pools.served.reshape(4, 3)
    assert by_pool.sum() == targets.served.sum()
    served = np.asarray(reading.served).reshape(4, 3)
    assert (served[:, 0] == by_pool[:, 0] + by_pool[:, 1]).all()
    assert (served[:, 1] == by_pool[:, 1]).all()
    assert (served[:, 2] == by_pool[:, 2]).all()
    for name in ("waiting", "reactive_arrived", "reactive_abandoned"):
        own, told = getattr(targets, name).reshape(4, 3), np.reshape(getattr(reading, name), (4, 3))
        both = own[:, :2].sum(axis=1)
        first, second = (both, both) if sees == "shared" else (own[:, 0], own[:, 1])
        assert (told == np.stack((first, second, own[:, 2]), axis=1)).all()
    assert (reading.accepted == targets.accepted).all()


def test_a_world_that_overflows_says_so() -> None:
    """Reactive customers without limit and without patience to end: an error, not a wrong figure."""
    world = world_of(part_of(1, agents=1, patience_s=1e9))
    world.arrays.targets.reactive_rate[:] = 50.0
    with pytest.raises(RuntimeError, match="room"):
        pass_cycles(world, 20, permits=0)

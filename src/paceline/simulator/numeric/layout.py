"""Lays out a world's arrays: so many targets, pools, agents and events for each replication of each part.

Called by world.py when it is built.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from paceline.simulator.numeric import laws
from paceline.simulator.numeric.arrays import (
    NOBODY,
    Agents,
    Array,
    Arrays,
    Counts,
    Places,
    Pools,
    Sites,
    Targets,
    table,
)
from paceline.simulator.numeric.draws import streams
from paceline.simulator.numeric.scenario import Cell

VISITORS_PER_SLOT: Final = 10.0
"""Visitors on the page per slot and acceptance (chosen): more than any sensible rule invites at once."""
_SPARE_EVENTS: Final = 512
_EVENTS_PER_SLOT: Final = 60


@dataclass(frozen=True, slots=True)
class Part:
    """Replications `first` … `first + count − 1` of a cell."""

    cell: Cell
    first: int
    count: int

    @property
    def target_count(self) -> int:
        """Targets of the part: those of a replication stand together."""
        return self.count * self.cell.targets


def arrays(parts: list[Part], most_agents: list[float], seed: int) -> Arrays:
    """The arrays of a morning: everybody idle, nobody there."""
    most = [_most(part, factor) for part, factor in zip(parts, most_agents, strict=True)]
    room = np.concatenate(
        [np.full(p.count, _room(p.cell, agents)) for p, agents in zip(parts, most, strict=True)]
    )
    pools, agents = _pools(parts, most)
    total = int(room.sum())
    return Arrays(
        targets=_targets(parts),
        pools=pools,
        agents=agents,
        places=_places(room),
        sites=_sites(parts, room),
        laws=_laws(parts),
        reaches=_reaches(parts),
        heap_times=np.zeros(total),
        heap_events=np.zeros(total, dtype=np.int64),
        words=streams(seed, _names(parts)),
        tables=laws.tables(),
    )


def reach_of(cell: Cell) -> NDArray[np.bool_]:
    """Targets × pools of one replication."""
    pools = cell.agent_pools
    reach = np.zeros((cell.targets, len(pools)), dtype=np.bool_)
    for number, pool in enumerate(pools):
        reach[np.array(pool.reaches) - 1, number] = True
    return reach


def sees_of(cell: Cell) -> NDArray[np.bool_]:
    """Targets × targets of one replication: whose queues a target's statistics cover."""
    if cell.sees == "own":
        return np.eye(cell.targets, dtype=np.bool_)
    reach = reach_of(cell)
    return (reach @ reach.T) | np.eye(cell.targets, dtype=np.bool_)


def _most(part: Part, factor: float) -> list[int]:
    """Agents that a replication's pools need room for."""
    return [max(pool.agents, round(pool.agents * factor)) for pool in part.cell.agent_pools]


def most_pending(cell: Cell) -> int:
    """Invitations that one target's visitors can hold at once."""
    slots = cell.agent_count * cell.slots
    return ceil(VISITORS_PER_SLOT * slots / min(cell.acceptance, 1.0)) + 20


def reactive_rate(cell: Cell, share: float) -> float:
    """Customers per second and target that take `share` of the agents' time."""
    slots = cell.agent_count * cell.slots
    return share * slots / laws.handle_s(cell) / cell.targets


def _targets(parts: list[Part]) -> Targets:
    def each(value: Callable[[Cell], float]) -> Array:
        return np.concatenate([np.full(p.target_count, float(value(p.cell))) for p in parts])

    return table(
        Targets,
        sum(part.target_count for part in parts),
        acceptance=each(lambda cell: cell.acceptance),
        decline_share=each(laws.decline_share),
        timeout_s=each(laws.timeout_s),
        is_spread=each(lambda cell: cell.world != "E"),
        most_pending=each(lambda cell: most_pending(_hardest(cell))),
        visitors_per_s=each(
            lambda cell: inf if cell.visitors_per_s is None else cell.visitors_per_s
        ),
        visit_s=each(lambda cell: cell.visit_s),
        silent_share=each(lambda cell: cell.silent_share),
        silent_s=each(lambda cell: cell.silent_s),
        reactive_rate=each(lambda cell: reactive_rate(cell, cell.reactive_share)),
        head=NOBODY,
        tail=NOBODY,
    )


def _laws(parts: list[Part]) -> Array:
    """The rows RESPONSE, TALK, WRAP, PATIENCE of every target."""
    return np.concatenate(
        [
            np.tile(
                [
                    laws.response(p.cell),
                    laws.talk(p.cell),
                    laws.wrap(p.cell),
                    laws.patience(p.cell),
                ],
                (p.target_count, 1, 1),
            )
            for p in parts
        ]
    )


def _reaches(parts: list[Part]) -> NDArray[np.bool_]:
    """Which pools of its replication each target reaches."""
    widest = max(len(part.cell.agent_pools) for part in parts)
    reaches = np.zeros((sum(part.target_count for part in parts), widest), dtype=np.bool_)
    row = 0
    for part in parts:
        block = np.tile(reach_of(part.cell), (part.count, 1))
        reaches[row : row + block.shape[0], : block.shape[1]] = block
        row += block.shape[0]
    return reaches


def _hardest(cell: Cell) -> Cell:
    """The cell with the lowest acceptance of its day: it needs the most visitors."""
    lowest = min([cell.acceptance, *(c.acceptance for c in cell.change if c.acceptance)])
    return replace(cell, acceptance=lowest)


def _pools(parts: list[Part], most: list[list[int]]) -> tuple[Pools, Agents]:
    """Every pool of every replication, all agents idle."""
    rooms = np.concatenate(
        [np.tile(room, part.count) for part, room in zip(parts, most, strict=True)]
    )
    agents = np.concatenate(
        [np.tile([pool.agents for pool in p.cell.agent_pools], p.count) for p in parts]
    )
    ends = np.cumsum(rooms)
    pools = table(
        Pools,
        agents.size,
        agent_first=ends - rooms,
        agent_last=ends,
        reached_by=np.concatenate([np.tile(reach_of(p.cell).sum(axis=0), p.count) for p in parts]),
        slots=np.concatenate(
            [np.full(p.count * len(p.cell.agent_pools), p.cell.slots) for p in parts]
        ),
        logged_in=agents,
        present=agents,
    )
    people = table(Agents, int(rooms.sum()), pool=np.repeat(np.arange(agents.size), rooms))
    return pools, people


def _room(cell: Cell, most: list[int]) -> int:
    """Events and waiting interactions a replication needs room for."""
    slots = sum(most) * cell.slots
    pending = cell.targets * most_pending(_hardest(cell))
    return _SPARE_EVENTS + _EVENTS_PER_SLOT * slots + pending


def _places(room: Counts) -> Places:
    """Waiting places, all free: each knows the next one of its replication."""
    following = np.arange(1, int(room.sum()) + 1)
    following[np.cumsum(room) - 1] = NOBODY
    return table(Places, following.size, next=following, previous=NOBODY)


def _sites(parts: list[Part], room: Counts) -> Sites:
    """Where each replication's targets, pools and events begin."""
    targets = np.concatenate([np.full(p.count, p.cell.targets) for p in parts])
    pools = np.concatenate([np.full(p.count, len(p.cell.agent_pools)) for p in parts])
    first = np.concatenate(([0], np.cumsum(room)))
    return table(
        Sites,
        room.size + 1,
        target_first=np.concatenate(([0], np.cumsum(targets))),
        pool_first=np.concatenate(([0], np.cumsum(pools))),
        heap_first=first,
        free_place=first,
    )


def _names(parts: list[Part]) -> list[str]:
    """What each replication's chance is called."""
    return [
        f"{part.cell.name}, replication {part.first + number}"
        for part in parts
        for number in range(part.count)
    ]

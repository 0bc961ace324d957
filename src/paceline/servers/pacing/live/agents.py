"""States of the agents of all targets' groups, and the pools they form; fed by the Stat Server's stream.

A pool is the slots of one medium of agents who serve the same targets, so that an agent in two
groups of a target counts once and an agent of two targets is promised once. Media are apart: a
capacity rule gives each its own maximum.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paceline.model.target import PacingTarget
from paceline.wire.operations.statistic import AgentTargetState, StatisticChanges

Array = NDArray[np.float64]


class AgentStates:
    """Who is logged in, in which groups, with which slots."""

    def __init__(self) -> None:
        self._states: dict[str, AgentTargetState] = {}
        self._groups: dict[str, frozenset[str]] = {}

    def take(self, group: str, notice: StatisticChanges) -> None:
        """Apply a notice of one group's agents."""
        for state in notice.changed:
            self._states[state.agent] = state
            self._groups[state.agent] = self._groups.get(state.agent, frozenset()) | {group}
        for agent in notice.removed:
            self._leave(agent, group)

    def forget_group(self, group: str) -> None:
        """This group's members are told anew."""
        for agent in [agent for agent, groups in self._groups.items() if group in groups]:
            self._leave(agent, group)

    def clear(self) -> None:
        """Nothing is known any more."""
        self._states.clear()
        self._groups.clear()

    def __len__(self) -> int:
        return len(self._states)

    def _leave(self, agent: str, group: str) -> None:
        left = self._groups.get(agent, frozenset()) - {group}
        if left:
            self._groups[agent] = left
        else:
            self._groups.pop(agent, None)
            self._states.pop(agent, None)

    def each(self) -> list[tuple[frozenset[str], AgentTargetState]]:
        """Every agent once, with the groups it is in."""
        return [(self._groups[agent], state) for agent, state in self._states.items()]


class AgentPools:
    """Pools of the agents of one set of targets; a pool once seen stays until the targets change."""

    def __init__(self, targets: Sequence[PacingTarget]) -> None:
        self._target_count = len(targets)
        self._rows: dict[tuple[str, str], list[int]] = {}
        for row, target in enumerate(targets):
            for group in target.agent_groups:
                self._rows.setdefault((group, target.media_type), []).append(row)
        self._pool_of: dict[tuple[frozenset[str], str], int | None] = {}
        self._pools: dict[frozenset[int], int] = {}

    def measure(self, states: AgentStates) -> tuple[Array, Array]:
        """Free and used slots per pool, shape (m,); m may have grown since the last time.

        Free: maximum - current of agents routable in the medium. Used: current of agents who are
        ready in it, being delivered, handled or in wrap-up.
        """
        cells: list[tuple[int, int, int]] = []
        for groups, state in states.each():
            for medium, slots in state.media.items():
                pool = self._pool(groups, medium)
                if pool is not None:
                    free = max(0, slots.maximum - slots.current) if slots.routable else 0
                    cells.append((pool, free, slots.current if slots.ready else 0))
        ready, busy = np.zeros(len(self._pools)), np.zeros(len(self._pools))
        if cells:
            table = np.array(cells)
            np.add.at(ready, table[:, 0], table[:, 1])
            np.add.at(busy, table[:, 0], table[:, 2])
        return ready, busy

    @property
    def reach(self) -> sparse.csr_array:
        """Which target reaches which pool, shape (n, m)."""
        cells = [(row, pool) for rows, pool in self._pools.items() for row in rows]
        rows, pools = zip(*cells, strict=True) if cells else ((), ())
        shape = (self._target_count, len(self._pools))
        return sparse.csr_array((np.ones(len(cells)), (rows, pools)), shape=shape)

    def _pool(self, groups: frozenset[str], medium: str) -> int | None:
        key = (groups, medium)
        if key not in self._pool_of:
            rows = frozenset(row for group in groups for row in self._rows.get((group, medium), ()))
            self._pool_of[key] = self._pools.setdefault(rows, len(self._pools)) if rows else None
        return self._pool_of[key]

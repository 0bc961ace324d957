"""One cycle of the targets that share agents: what they have together, and what each of them gets of it.

Called by the pacer and its decision for the rows concerned; every other target is left as if alone.
Never decides how much slack there is: position.py does.
"""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from paceline.pacer import position
from paceline.pacer.estimators import Estimates
from paceline.pacer.guards import Levels
from paceline.pacer.pools import SharedTargets, Windows
from paceline.pacer.progressive import progressive_permits
from paceline.pacer.state import Array, TargetState

Columns = TypeVar("Columns", Estimates, position.Position)


@dataclass(slots=True, eq=False)
class Sharing:
    """The targets of a block that share agents, and their pools as last known (0 where never known).

    Called in the order of its methods: a cycle is learned from before it is decided on.
    """

    targets: SharedTargets
    state: TargetState  # of the whole block
    ready: Array  # (q,)
    busy: Array
    _windows: Windows = field(init=False)
    _waiting: Array = field(init=False)  # (k,), in each target's own queue

    def seen_by_each(self, own: Array) -> Array:
        """Count what belongs to each target alone over the same queues as its reports cover; (n,)."""
        rows = self.targets.rows
        return _replaced(own, rows, self.targets.overlap.seen_by_each(own[rows], self._evidence))

    def learn_overlap(self, waiting: Array) -> None:
        """Remember whether what is reported waiting, (n,), overlaps, and who waits where."""
        rows, overlap = self.targets.rows, self.targets.overlap
        solution = overlap.solved(waiting[rows])
        evidence = overlap.weighed(solution, self._evidence)
        self.state.overlap_evidence[rows] = evidence
        self._waiting = overlap.own_parts(solution, evidence)

    def crew(self, alone: position.Crew, known: Estimates, period_s: Array) -> position.Crew:
        """Add to each target's agents and work the work of others that falls on the same agents; (n,) columns.

        It falls where agents are free or become so within the lead time: as routing sends it there.
        """
        rows = self.targets.rows
        ahead_s = position.lead_s(known, period_s)[rows]
        freed = self.targets.parts_by_pool @ (1.0 - np.exp(-known.release_rate[rows] * ahead_s))
        self._windows = self.targets.windows(self.ready + self.busy * freed)
        overlap = self.targets.overlap
        reactive = overlap.own_parts(overlap.solved(alone.reactive_rate[rows]), self._evidence)
        own = {
            "waiting": self._waiting,
            "reactive_rate": reactive,
            "coming": alone.coming[rows],
            "coming_variance": alone.coming_variance[rows],
        }
        around = self._windows.around
        return replace(
            alone,
            **{
                name: _replaced(getattr(alone, name), rows, around(part))
                for name, part in own.items()
            },
        )

    def levels(self, alone: Levels) -> Levels:
        """Give each target its part of the agents it shares, so that nobody counts twice."""
        rows, fair_parts = self.targets.rows, self.targets.fair_parts
        return replace(
            alone,
            ready=_replaced(alone.ready, rows, fair_parts(self.ready)),
            busy=_replaced(alone.busy, rows, fair_parts(self.busy)),
        )

    def cautious(self, levels: Levels) -> Array:
        """max(0, R − Q − K), shared agents split so that each counts once; (n,)."""
        rows = self.targets.rows
        pending = levels.pending[rows]
        windows = self.targets.windows(self.ready)
        taken, waiting = windows.around(pending), windows.around(self._waiting)
        room = levels.ready[rows] - waiting - taken
        alone = progressive_permits(levels.ready, levels.waiting, levels.pending)
        given = windows.trimmed(windows.split(room, taken, pending), room)
        return _replaced(alone, rows, np.minimum(np.floor(given + 1e-9), alone[rows]))

    def given(
        self, wanted: Array, on_the_way: Array, known: Estimates
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Split the acceptances aimed at in each window, and say where a target gets fewer than that; (n,)."""
        rows = self.targets.rows
        room = wanted[rows]
        given = self._windows.split(room, on_the_way[rows], known.coming[rows])
        share = known.acceptance[rows]
        is_fewer = np.zeros(wanted.size, dtype=np.bool_)
        is_fewer[rows] = position.invitations(given, share) < position.invitations(room, share)
        return _replaced(wanted, rows, given), is_fewer

    @property
    def _evidence(self) -> NDArray[np.int8]:
        evidence: NDArray[np.int8] = self.state.overlap_evidence[self.targets.rows]
        return evidence


def columns_at(columns: Columns, rows: NDArray[np.intp] | slice) -> Columns:
    """Some targets of a dataclass of columns."""
    names = [column.name for column in fields(columns)]
    return replace(columns, **{name: getattr(columns, name)[rows] for name in names})


def _replaced(values: Array, rows: NDArray[np.intp] | slice, changed: Array) -> Array:
    if isinstance(rows, slice) and changed.size == values.size:
        return changed
    new = values.copy()
    new[rows] = changed
    return new

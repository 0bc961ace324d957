"""Queues counted in several targets: how many interactions there are when each target reports its neighbours' too.

Called by the pacer, only with `reach`. A statistic over "all queues that my groups list" counts a shared queue in
every target; a statistic over a target's own queue does not. The numbers themselves say which one is fed.
Never sees a queue: only what each target reports.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paceline.pacer.state import Array

MOST_CLASSES: Final = 64
"""Kinds of targets in one component up to which their overlap is solved for (chosen: a dense 64 × 64 inverse)."""
AGREES: Final = 1
DISAGREES: Final = -4
EVIDENCE_LIMIT: Final = 16
"""Evidence per cycle with somebody waiting, and its bound (chosen): shared queues can hardly disagree, while
separate ones agree by chance, so one disagreement outweighs several agreements."""
_TOLERANCE: Final = 1e-3

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Which group each of some members, in the order of their groups, belongs to."""

    component: Index  # (k,), from 0, rising
    adding: sparse.csr_array  # (groups, k), 1 where the member is in the group

    @classmethod
    def of(cls, component: Index) -> Self:
        """`component` (k,): rises from 0 without gaps."""
        bounds = np.searchsorted(component, np.arange(component[-1] + 2))
        data, places = np.ones(component.size), np.arange(component.size)
        shape = (bounds.size - 1, component.size)
        return cls(component, sparse.csr_array((data, places, bounds), shape=shape))

    def sums(self, values: Array) -> Array:
        """Sum over the members of each group; a sparse product takes a quarter of `np.add.reduceat`."""
        return np.asarray(self.adding @ values)

    def together(self, values: Array) -> Array:
        """Sum over the members of a group, given back to each of them."""
        sums: Array = self.sums(values)[self.component]
        return sums


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Reports taken apart."""

    reported: Array  # (k,)
    parts: Array  # (classes,), what belongs to each class if the reports overlap
    agrees: NDArray[np.bool_]  # (k,), they can


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Targets that reach the same pools are one class; classes that share a pool see each other's queues.

    Target i then reports y_i = Σ w_k over the classes k it sees, itself included. w is solved for; if it exists
    and is not negative, the reports overlap and each interaction is counted once in w.
    Targets (k) stand class after class, classes component after component.
    """

    sees: sparse.csr_array  # (classes, classes), 1 where they share a pool
    solves: sparse.csr_array  # (classes, classes), pseudo-inverse of `sees`
    is_solved: NDArray[np.bool_]  # (k,), the component is small enough
    _members: Members  # of components
    _class: Index  # (k,), class of each target
    _first: Index  # (classes,), first target of each
    _class_size: Array  # (k,)
    _classes: Members

    def solved(self, reported: Array) -> Solution:
        """Find what belongs to each class if the reports overlap, and whether they can."""
        parts = self.solves @ reported[self._first]
        near = _TOLERANCE * (1.0 + reported)
        misfits = np.abs((self.sees @ parts)[self._class] - reported) > near
        misfits |= parts[self._class] < -near
        agrees = self._members.together(misfits.astype(np.float64)) == 0.0
        return Solution(reported, parts, agrees & self.is_solved)

    def own_parts(self, of: Solution, evidence: NDArray[Any]) -> Array:
        """What belongs to each target alone: its part of the solution where reports overlap, else its report."""
        part = np.maximum(of.parts[self._class], 0.0) / self._class_size
        return np.where(of.agrees & (evidence >= 0), part, of.reported)

    def weighed(self, waiting: Solution, evidence: NDArray[Any]) -> NDArray[Any]:
        """Evidence after a cycle: does what is reported waiting overlap? No one waiting says nothing."""
        says = np.where(waiting.agrees, AGREES, DISAGREES)
        is_telling = self.is_solved & (self._members.together(waiting.reported) > 0.5)
        moved = evidence + np.where(is_telling, says, 0)
        return np.asarray(np.clip(moved, -EVIDENCE_LIMIT, EVIDENCE_LIMIT))

    def seen_by_each(self, own: Array, evidence: NDArray[Any]) -> Array:
        """Count what belongs to each target alone over the same queues as its overlapping reports cover; (k,)."""
        seen: Array = (self.sees @ self._classes.sums(own))[self._class]
        return np.where((evidence >= 0) & self.is_solved, seen, own)


def overlap_of(reach: sparse.csr_array, component: Index, kind: Index) -> Overlap:
    """Find who sees whom; `reach` (k, q), `component` and `kind` (k,) rising together, k > 0."""
    number = np.cumsum(np.diff(kind, prepend=kind[0]) != 0)
    first = np.flatnonzero(np.diff(kind, prepend=-1))
    class_component = component[first]
    class_sizes = np.bincount(class_component)
    is_small = class_sizes[class_component] <= MOST_CLASSES
    links = sparse.csr_array((np.ones(reach.nnz), reach.indices, reach.indptr), shape=reach.shape)
    members = sparse.csr_array(links[first, :].multiply(is_small[:, None]))
    sees = sparse.csr_array(((members @ members.T) + sparse.eye_array(first.size)) > 0)
    sees = sparse.csr_array(sees.astype(np.float64))
    return Overlap(
        sees=sees,
        solves=_inverse(sees, class_component, class_sizes),
        is_solved=is_small[number],
        _members=Members.of(component),
        _class=number,
        _first=first,
        _class_size=np.bincount(number)[number].astype(np.float64),
        _classes=Members.of(number),
    )


def kinds_of(reach: sparse.csr_array) -> Index:
    """Number the sets of pools in the order of their first target; every row reaches some pool."""
    known: dict[bytes, int] = {}
    kind = np.empty(reach.shape[0], dtype=np.intp)
    bounds = reach.indptr.tolist()
    for row in range(kind.size):
        pools = reach.indices[bounds[row] : bounds[row + 1]].tobytes()
        kind[row] = known.setdefault(pools, len(known))
    return kind


def _inverse(sees: sparse.csr_array, component: Index, sizes: Index) -> sparse.csr_array:
    """Pseudo-inverse block by block; a component of one class or too many keeps the identity."""
    rows, columns, values = [], [], []
    ends = np.cumsum(sizes)
    solved = np.flatnonzero((sizes > 1) & (sizes <= MOST_CLASSES))
    for start, end in zip((ends - sizes)[solved].tolist(), ends[solved].tolist(), strict=True):
        members = np.arange(start, end)
        inverse = np.linalg.pinv(sees[start:end, start:end].toarray())
        rows.append(np.repeat(members, members.size))
        columns.append(np.tile(members, members.size))
        values.append(inverse.ravel())
    alone = np.flatnonzero(~np.isin(component, solved))
    rows.append(alone)
    columns.append(alone)
    values.append(np.ones(alone.size))
    places = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), places), shape=sees.shape)

"""Queues counted in several targets: how many interactions there are when each target reports its neighbours' too.

Called by the pacer, only with `reach`. A statistic over "all queues that my groups list" counts a shared queue in
every target; a statistic over a target's own queue does not. The numbers themselves say which one is fed.
Never sees a queue: only what each target reports.
"""

from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Targets that reach the same pools are one class; classes that share a pool see each other's queues.

    Target i then reports y_i = Σ w_k over the classes k it sees, itself included. w is solved for; if it exists
    and is not negative, the reports overlap and Σ w counts each interaction once.
    """

    kind: NDArray[np.intp]  # (n,), class of each target
    component: NDArray[np.intp]  # (classes,)
    sees: sparse.csr_array  # (classes, classes), 1 where they share a pool
    solves: sparse.csr_array  # (classes, classes), pseudo-inverse of `sees`
    is_shared: NDArray[np.bool_]  # (n,), the component has more than one target
    _order: NDArray[np.intp]
    _starts: NDArray[np.intp]

    def once(self, reported: Array, separate: Array, evidence: NDArray[Any]) -> Array:
        """Count per component, given to each target: once where reports overlap, else `separate`, their sum."""
        counted, agrees = self._solved(reported)
        overlaps = agrees & (evidence >= 0) & self.is_shared
        return np.where(overlaps, counted, separate)

    def weighed(self, waiting: Array, evidence: NDArray[Any]) -> NDArray[Any]:
        """Evidence after a cycle: does what is reported waiting overlap? No one waiting says nothing."""
        counted, agrees = self._solved(waiting)
        says = np.where(agrees, AGREES, DISAGREES)
        moved = np.where(self.is_shared & (counted > 0.5), evidence + says, evidence)
        return np.clip(moved, -EVIDENCE_LIMIT, EVIDENCE_LIMIT)

    def seen_by_each(self, own: Array, evidence: NDArray[Any]) -> Array:
        """Count what belongs to each target alone over the same queues as its overlapping reports cover; (n,)."""
        sums = np.bincount(self.kind, weights=own, minlength=self.component.size)
        seen = (self.sees @ sums)[self.kind]
        return np.where((evidence >= 0) & self.is_shared, seen, own)

    def _solved(self, reported: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Each target's component total if reports overlap, and whether they can; else the highest report."""
        ordered = reported[self._order]
        high = np.maximum.reduceat(ordered, self._starts)
        low = np.minimum.reduceat(ordered, self._starts)
        parts = self.solves @ high
        near = _TOLERANCE * (1.0 + high)
        fits = (high - low <= near) & (np.abs(self.sees @ parts - high) <= near) & (parts >= -near)
        size = int(self.component.max()) + 1
        misfits = np.bincount(self.component, weights=~fits, minlength=size)
        total = np.bincount(self.component, weights=parts, minlength=size)
        peak = np.zeros(size)
        np.maximum.at(peak, self.component, high)
        agrees = misfits == 0
        counted = np.where(agrees, total, peak)
        of_target = self.component[self.kind]
        return counted[of_target], agrees[of_target]


def overlap_of(reach: sparse.csr_array, component: NDArray[np.intp]) -> Overlap:
    """Find the classes of targets and who sees whom; `reach` (n, m), `component` (n,), n > 0."""
    links = sparse.csr_array((np.ones(reach.nnz), reach.indices, reach.indptr), shape=reach.shape)
    kind = _kinds(links, component)
    first = np.unique(kind, return_index=True)[1]
    class_component = component[first]
    class_sizes = np.bincount(class_component, minlength=int(component.max()) + 1)
    members = links[first, :]
    is_small = class_sizes[class_component] <= MOST_CLASSES
    members = sparse.csr_array(members.multiply(is_small[:, None]))
    sees = sparse.csr_array(((members @ members.T) + sparse.eye_array(first.size)) > 0)
    sees = sparse.csr_array(sees.astype(np.float64))
    order = np.argsort(kind, kind="stable")
    sizes = np.bincount(component)
    return Overlap(
        kind=kind,
        component=class_component,
        sees=sees,
        solves=_inverse(sees, class_component, class_sizes),
        is_shared=(sizes[component] > 1) & is_small[kind],
        _order=order,
        _starts=np.flatnonzero(np.diff(kind[order], prepend=-1)),
    )


def _kinds(links: sparse.csr_array, component: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the sets of pools; a target that reaches nobody is a kind of its own."""
    links.sort_indices()
    known: dict[bytes, int] = {}
    kind = np.empty(links.shape[0], dtype=np.intp)
    bounds = links.indptr.tolist()
    for row in range(kind.size):
        pools = links.indices[bounds[row] : bounds[row + 1]].tobytes()
        key = pools or b"alone %d" % component[row]
        kind[row] = known.setdefault(key, len(known))
    return kind


def _inverse(
    sees: sparse.csr_array, component: NDArray[np.intp], sizes: NDArray[np.intp]
) -> sparse.csr_array:
    """Pseudo-inverse block by block; a component alone or too large keeps the identity."""
    order = np.argsort(component, kind="stable")
    rows, columns, values = [], [], []
    solved = np.flatnonzero((sizes > 1) & (sizes <= MOST_CLASSES))
    edges = np.searchsorted(component[order], np.stack((solved, solved + 1)))
    for start, end in edges.T.tolist():
        members = order[start:end]
        inverse = np.linalg.pinv(sees[members, :][:, members].toarray())
        rows.append(np.repeat(members, members.size))
        columns.append(np.tile(members, members.size))
        values.append(inverse.ravel())
    alone = np.flatnonzero(~np.isin(component, solved))
    rows.append(alone)
    columns.append(alone)
    values.append(np.ones(alone.size))
    places = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), places), shape=sees.shape)

"""Agents shared by several targets: who shares with whom, what they have together, and how it is split.

Called by the settings once per set of targets, then by sharing.py each cycle, only with `reach`.
Never decides how much slack there is: position.py does.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from paceline.pacer.shared_queues import Index, Overlap, kinds_of, overlap_of
from paceline.pacer.state import Array

SHARE_PASSES: Final = 3
"""Passes that hand on what a target cannot use (chosen: a fourth changed nothing at four targets)."""
BLOCK_TARGETS: Final = 32768
"""Targets taken at a time at most: few enough for the cache, and so many that the two milliseconds a block costs
whatever its size are few beside the rest (100,000 targets, medians of 20 alternating steps: 4096 at a time 96 ms,
16384 57 to 60, 32768 54 to 57)."""
_NOBODY: Final = 1e-9
_LEAST: Final = 1e-9
"""Instead of an empty pool and of no room, where something is divided by them."""


@dataclass(frozen=True, slots=True, eq=False)
class SharedTargets:
    """The k targets of a block that share agents with another, and the q pools they reach."""

    rows: Index | slice  # (k,), places in the block
    pools: Index | slice  # (q,), places among all pools
    overlap: Overlap
    links: sparse.csr_array  # (k, q), 1 where a target reaches a pool
    parts: sparse.csr_array  # (k, q), part of a pool each target gets if it is split by reach
    parts_by_pool: sparse.csr_array  # (q, k), the same

    def fair_parts(self, agents: Array) -> Array:
        """Agents of each target if each pool were split by reach, so that nobody counts twice; (q,) to (k,)."""
        return np.asarray(self.parts @ agents)

    def windows(self, agents: Array) -> "Windows":
        """Return how targets see one another with so many agents in each pool; (q,)."""
        seen = agents + _NOBODY
        return Windows(self, seen, self.fair_parts(seen))


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """A target's window: the agents it reaches, and of every other's work the part that falls on these.

    Work is taken to spread over the pools as `fair_parts` does, so that at the fair split every window holds as
    much work as it has agents. With agents that all targets reach, each window is the whole; targets far apart
    in a chain do not see each other.
    """

    targets: SharedTargets
    agents: Array  # (q,)
    fair: Array  # (k,)

    def around(self, own: Array) -> Array:
        """Sum over all targets of what falls into each one's window; (k,) to (k,)."""
        per_agent = self.targets.parts_by_pool @ (own / self.fair)
        return np.asarray(self.targets.links @ (self.agents * per_agent))

    def split(self, room: Array, on_the_way: Array, own: Array) -> Array:
        """Share out acceptances: `room` is what a window takes beyond `on_the_way`, of which `own` its target's.

        Nobody gets more than its own window takes, and those who have less than their fair part on the way get
        more. What one target cannot use goes to those that can, in a few water-filling passes. A window that
        takes less than those around it may be overfilled a little.
        """
        left = np.maximum(room, 0.0)
        share = self.fair / (self.targets.links @ self.agents)
        asked = np.maximum(share * (on_the_way + left) - own, 0.0)
        given = np.zeros_like(left)
        for number in range(SHARE_PASSES):
            if number > 0:
                left = asked = np.maximum(room - self.around(given), 0.0)
            given += asked * left / np.maximum(self.around(asked), _LEAST)
        return given

    def trimmed(self, given: Array, room: Array) -> Array:
        """Take back what overfills a window, from its target and from those around it."""
        excess = np.maximum(self.around(given) - np.maximum(room, 0.0), 0.0)
        return np.maximum(given - self.around(excess), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive targets that share agents with no other block."""

    part: slice
    shared: SharedTargets | None


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """Targets × agent pools, cut into blocks."""

    reach: sparse.csr_array  # (n, m), values 0–1
    blocks: tuple[Block, ...]

    def reachable(self, agents: Array) -> Array:
        """Agents each target can reach, shared ones counted fully; (m,) to (n,)."""
        return np.asarray(self.reach @ agents)


def blocks_alone(size: int) -> tuple[Block, ...]:
    """Cut `size` targets that share no agents."""
    length = _length(size)
    starts = range(0, max(size, 1), length)
    return tuple(Block(slice(start, min(start + length, size)), None) for start in starts)


def connected(reach: sparse.csr_array | sparse.csr_matrix) -> Pools:
    """Find who shares agents with whom: the components of the target × pool graph.

    Raises
    ------
    ValueError
        A share outside 0–1.
    """
    matrix = sparse.csr_array(reach.astype(np.float64))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if matrix.nnz and (
        not np.isfinite(matrix.data).all() or matrix.data.min() < 0.0 or matrix.data.max() > 1.0
    ):
        raise ValueError(
            "reach holds a value outside 0 to 1; it is the share of a pool a target can reach"
        )
    component = _components(matrix)
    is_shared = np.bincount(component, minlength=1)[component] > 1
    if not is_shared.any():
        return Pools(matrix, blocks_alone(component.size))
    return Pools(
        matrix,
        tuple(
            Block(part, _shared_targets(matrix[part, :], component[part], is_shared[part]))
            for part in _cuts(component)
        ),
    )


def _components(matrix: sparse.csr_array) -> Index:
    """Number of the component each target belongs to; (n,)."""
    size = matrix.shape[0]
    links = matrix.tocoo()
    target, pool = links.coords
    total = size + matrix.shape[1]
    graph = sparse.coo_array((links.data, (target, pool + size)), shape=(total, total))
    label = connected_components(graph, directed=False)[1]
    return np.asarray(label[:size], dtype=np.intp)


def _length(size: int) -> int:
    """Targets of each block: as few blocks as may be, all alike."""
    blocks = -(-size // BLOCK_TARGETS)
    return -(-size // max(blocks, 1)) or 1


def _cuts(component: Index) -> list[slice]:
    """Cut the targets into stretches of at most about `BLOCK_TARGETS`, every component whole in one of them."""
    length = _length(component.size)
    places = np.arange(component.size)
    last = np.zeros(int(component.max()) + 1, dtype=np.intp)
    np.maximum.at(last, component, places)
    ends = np.flatnonzero(np.maximum.accumulate(last[component]) == places) + 1
    cuts = []
    start = 0
    while start < component.size:
        fitting = int(np.searchsorted(ends, start + length, side="right")) - 1
        if fitting < 0 or ends[fitting] <= start:
            fitting += 1
        cuts.append(slice(start, int(ends[fitting])))
        start = int(ends[fitting])
    return cuts


def _shared_targets(
    reach: sparse.csr_array, component: Index, is_shared: NDArray[np.bool_]
) -> SharedTargets | None:
    """Bring the targets concerned into the order of their components."""
    rows = np.flatnonzero(is_shared)
    if rows.size == 0:
        return None
    kind = kinds_of(reach[rows, :])
    order = np.lexsort((kind, component[rows]))
    rows = rows[order]
    compact = sparse.csr_array(reach[rows, :])
    number = np.cumsum(np.diff(component[rows], prepend=component[rows[0]]) != 0)
    pools = np.unique(compact.indices).astype(np.intp)
    compact = sparse.csr_array(compact[:, pools])
    asked = np.maximum(np.asarray(compact.sum(axis=0)).ravel(), 1.0)
    parts = sparse.csr_array(compact.multiply(1.0 / asked[None, :]))
    links = (np.ones(compact.nnz), compact.indices, compact.indptr)
    return SharedTargets(
        rows=_as_slice(rows),
        pools=_as_slice(pools),
        overlap=overlap_of(compact, number, kind[order]),
        links=sparse.csr_array(links, shape=compact.shape),
        parts=parts,
        parts_by_pool=sparse.csr_array(parts.T),
    )


def _as_slice(places: Index) -> Index | slice:
    """A stretch of neighbours as a slice, which numpy reads without copying."""
    if (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places

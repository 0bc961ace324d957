"""Agents shared by several targets: what each group of connected targets has together, and how it is split.

Called by the pacer, only with `reach`; without it every target is alone and nothing here runs.
Never decides how much slack there is: position.py does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from paceline.pacer.shared_queues import Overlap, overlap_of
from paceline.pacer.state import Array

SHARE_PASSES = 3
"""Passes that hand on what a target cannot use (chosen: a fourth changed nothing at four targets)."""


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """Targets × agent pools, and the connected component each belongs to."""

    reach: sparse.csr_array  # (n, m), values 0–1
    component: NDArray[np.intp]  # (n,)
    pool_component: NDArray[np.intp]  # (m,)
    component_count: int
    overlap: Overlap

    def reachable(self, agents: Array) -> Array:
        """Agents each target can reach, shared ones counted fully; (m,) to (n,)."""
        return np.asarray(self.reach @ agents)

    def together(self, per_target: Array) -> Array:
        """Sum over the targets of a component, given back to each of them; (n,) to (n,)."""
        sums = np.bincount(self.component, weights=per_target, minlength=self.component_count)
        return np.asarray(sums[self.component])

    def agents_together(self, agents: Array) -> Array:
        """Sum over the pools of a component, each agent once, given to each of its targets; (m,) to (n,)."""
        held = agents * np.minimum(np.asarray(self.reach.sum(axis=0)).ravel(), 1.0)
        sums = np.bincount(self.pool_component, weights=held, minlength=self.component_count)
        return np.asarray(sums[self.component])

    def fair_shares(self, agents: Array) -> Array:
        """Share of its component's agents each target would get if each pool were split by reach; sums to 1."""
        asked = np.maximum(np.asarray(self.reach.sum(axis=0)).ravel(), 1e-12)
        part = self.reachable((agents + 1e-9) / asked)
        return np.asarray(part / np.maximum(self.together(part), 1e-12))

    def fair_parts(self, agents: Array) -> Array:
        """Agents of each target if each pool were split by reach, so that nobody counts twice; (m,) to (n,)."""
        asked = np.maximum(np.asarray(self.reach.sum(axis=0)).ravel(), 1.0)
        return self.reachable(agents / asked)

    def split(self, pooled: Array, wanted: Array, share: Array, on_the_way: Array) -> Array:
        """Split a component's acceptances over its targets, none above what it could use alone.

        `pooled`: what the component may take, as each target's own safety sees it; `wanted`: the same counted on
        the agents a target can reach; `on_the_way`: acceptances already expected. What one target cannot use goes
        to those that can, in a few water-filling passes.
        """
        level = share * (self.together(on_the_way) + np.maximum(pooled, 0.0))
        lack = np.maximum(level - on_the_way, 0.0)
        fraction = lack / np.maximum(self.together(lack), 1e-12)
        given = np.minimum(fraction * np.maximum(pooled, 0.0), np.maximum(wanted, 0.0))
        for _ in range(SHARE_PASSES - 1):
            headroom = np.maximum(wanted, 0.0) - given
            used = self.together(given / np.maximum(pooled, 1e-9))
            rest = np.maximum(1.0 - used, 0.0) * np.maximum(pooled, 0.0)
            given += np.minimum(
                headroom, rest * headroom / np.maximum(self.together(headroom), 1e-12)
            )
        return np.where(pooled > 0.0, given, 0.0)


def connected(reach: sparse.csr_array | sparse.csr_matrix) -> Pools:
    """Find the components of the target × pool graph.

    Raises
    ------
    ValueError
        A share outside 0–1.
    """
    matrix = sparse.csr_array(reach.astype(np.float64))
    matrix.eliminate_zeros()
    if matrix.nnz and (
        not np.isfinite(matrix.data).all() or matrix.data.min() < 0.0 or matrix.data.max() > 1.0
    ):
        raise ValueError(
            "reach holds a value outside 0 to 1; it is the share of a pool a target can reach"
        )
    size = matrix.shape[0]
    links = matrix.tocoo()
    target, pool = links.coords
    total = size + matrix.shape[1]
    graph = sparse.coo_array((links.data, (target, pool + size)), shape=(total, total))
    count, label = connected_components(graph, directed=False)
    component = label[:size].astype(np.intp)
    return Pools(
        matrix,
        component,
        label[size:].astype(np.intp),
        int(count),
        overlap_of(matrix, component),
    )

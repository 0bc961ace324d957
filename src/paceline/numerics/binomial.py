"""Invitations as coin throws: how many acceptances are expected beyond the agents that wait for them.

Called by the super-progressive policy; arrays in, arrays out.
Never draws chance: expectations only.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

Array = NDArray[np.float64]


def expected_overflow(capacity: Array, trials: Array, share: Array) -> Array:
    """E[(X - c)⁺] for X binomial: acceptances of `trials` invitations beyond `capacity`.

    Shapes (n,), counts ≥ 0 (rounded down), `share` in [0, 1]; 0 where trials ≤ capacity, and np - c for large np.

    References
    ----------
    E[(X - c)⁺] = np P(Bin(n-1, p) ≥ c) - c P(Bin(n, p) ≥ c + 1), e.g. Feller I (1968), VI.
    """
    seats, thrown = np.floor(capacity), np.floor(trials)
    # bdtrc(k, n, p) = P(Bin(n, p) > k); for k = -1 it is 1.
    fewer = np.maximum(thrown - 1.0, 0.0).astype(np.int64)
    many = thrown.astype(np.int64)
    at_least = np.where(seats < 1.0, 1.0, bdtrc(np.maximum(seats - 1.0, 0.0), fewer, share))
    above = bdtrc(seats, many, share)
    overflow = thrown * share * at_least - seats * above
    return np.where(thrown > seats, np.maximum(overflow, 0.0), 0.0)

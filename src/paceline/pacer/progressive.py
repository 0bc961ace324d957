"""The progressive policy: invite no more visitors than there are agents with nothing to do.

Called by the pacer as a policy, for goal 0, and as the last step before stale statistics stop a target.
"""

import numpy as np

from paceline.pacer.state import Array


def progressive_permits(ready: Array, waiting: Array, pending: Array) -> Array:
    """Return max(0, ⌊R − Q − K⌋); shapes (n,), counts.

    Every visitor finds an agent even if all accept, except where agents log out meanwhile.

    References
    ----------
    Samuelson, Interfaces 29:5 (1999): preview and progressive dialling as the safe limit.
    """
    return np.asarray(np.maximum(0.0, np.floor(ready - waiting - pending)))

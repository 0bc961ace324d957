"""The change detector: says when acceptance or reactive traffic jumped, so that old counts can be shrunk.

Called by what learns from invitations and from reactive arrivals, once per cycle.
Never shrinks anything itself.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from paceline.numerics.conjugate import cusum
from paceline.pacer.state import TargetState

CHANGE_SHRINK: Final = 0.1
"""Factor on the counts after a jump: PACING.md, "The position rule"."""
BLOCK_EXPECTED: Final = 4.0
"""Events per step of the detector (chosen): single cycles with 0.1 expected events would ring by chance."""


def jumped(
    state: TargetState, name: str, seen: NDArray[Any], expected: NDArray[Any], events: NDArray[Any]
) -> NDArray[np.bool_]:
    """Feed one cycle to detector `name` ("accept" or "reactive"); True where it rang.

    Shapes (n,), counts ≥ 0. `events`: effective number of events behind `expected`. Counts are Poisson, and the
    expectation itself is off by a relative variance 1/(1 + events); a full block of events is one CUSUM step.
    """
    block_seen: NDArray[Any] = getattr(state, f"{name}_block_seen")
    block_expected: NDArray[Any] = getattr(state, f"{name}_block_expected")
    block_seen += seen
    block_expected += expected
    full = np.flatnonzero((block_expected >= BLOCK_EXPECTED) | (block_seen >= 2.0 * BLOCK_EXPECTED))
    rang = np.zeros(block_seen.size, dtype=np.bool_)
    if full.size == 0:
        return rang
    due = block_expected[full].astype(np.float64)
    variance = due * (1.0 + expected[full] / (1.0 + events[full]))
    residual = (block_seen[full] - due) / np.sqrt(variance + 1.0)
    rise: NDArray[Any] = getattr(state, f"{name}_rise")
    fall: NDArray[Any] = getattr(state, f"{name}_fall")
    rise[full], fall[full], rang[full] = cusum(
        rise[full].astype(np.float64), fall[full].astype(np.float64), residual
    )
    block_seen[full] = 0.0
    block_expected[full] = 0.0
    return rang

"""The standard normal loss function and its inverse, on arrays.

Called by the pacer to turn an abandonment goal into a safety margin.
Never raises on finite input, keeps no state.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

HIGHEST_Z: Final = 6.0
"""Loss(6) is 1.6e-10: a larger margin changes no count of invitations (chosen)."""
LOWEST_Z: Final = -6.0
"""Below it Loss(z) equals -z to 1.6e-10, so the inverse is exact without a table."""
_STEP: Final = 1.0 / 256.0
"""Linear interpolation on this grid is within 2e-5 of the true inverse (tests/numerics/test_loss.py)."""


def loss(z: Array) -> Array:
    """Expected excess of a standard normal variable over `z`: φ(z) - z(1 - Φ(z)).

    Any shape, dimensionless, valid for every finite `z`; tends to 0 for z → ∞ and to -z for z → -∞.

    References
    ----------
    Newsvendor loss function, e.g. Zipkin, Foundations of Inventory Management (2000), C.2.
    """
    density: Array = np.exp(-0.5 * np.square(z)) / np.sqrt(2.0 * np.pi)
    return np.maximum(density - z * ndtr(-z), 0.0)


_Z: Final[Array] = np.arange(HIGHEST_Z, LOWEST_Z - 0.1, -_STEP)
_LOG_LOSS: Final[Array] = np.log(loss(_Z))
_LOG_LOW: Final = float(_LOG_LOSS[0])
_CELL: Final = 1.0 / 256.0
"""Width of a cell of the inverse table, in log(loss): the same accuracy as `_STEP`, and found by one division."""
_CELL_COUNT: Final = int(np.ceil((np.log(-LOWEST_Z) - _LOG_LOW) / _CELL))
_INVERSE: Final[Array] = np.interp(_LOG_LOW + _CELL * np.arange(_CELL_COUNT + 2), _LOG_LOSS, _Z)


def inverse_loss(expected_excess: Array) -> Array:
    """Return the `z` whose loss is `expected_excess`, bounded above by `HIGHEST_Z`.

    Any shape, values ≥ 0; 0 gives `HIGHEST_Z`, values over 6 give -`expected_excess`.
    """
    bounded = np.maximum(expected_excess, 1e-300)
    place = np.clip((np.log(bounded) - _LOG_LOW) / _CELL, 0.0, float(_CELL_COUNT))
    cell = place.astype(np.intp)
    left = _INVERSE[cell]
    tabled = left + (place - cell) * (_INVERSE[cell + 1] - left)
    return np.where(bounded > -LOWEST_Z, -bounded, tabled)

"""The fitted margin: what the closed form's safety lacks or has too much to lose just the goal.

Called by position.py once per cycle; arrays in, arrays out.
tools/fit_margin.py writes the numbers into surface_table.py; ADR 15 says what they gain.
Never solves or simulates anything.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.pacer.estimators import Estimates
from paceline.pacer.state import Array
from paceline.pacer.surface_table import BASE, SLOPE

Feature = NDArray[np.float32]

EDGE: Final = 1.6
"""The features' range in the fit, in half widths: beyond it the nearest edge stands."""
CENTRES: Final = (3.0, 0.45, -2.7, -1.1, 1.3, 0.3, -3.9)
WIDTHS: Final = (1.1, 0.3, 1.0, 0.9, 1.1, 0.22, 0.75)
"""Middle and half width of each feature over the fitted cases (chosen with them)."""
LOWEST: Final = -2.0
HIGHEST: Final = 1.5
"""Range of the fitted margins; corners of the features' box that no case reached are held to it."""


def margin(
    usual: Array, known: Estimates, reactive_rate: Array, period_s: Array, goal_share: Array
) -> Array:
    """Standard deviations added to z; shapes (n,).

    `usual` [agents], `reactive_rate` [1/s], `period_s` [s], `goal_share` (0–1). A quadratic in six
    features, and ln N times one in all seven: what makes a small crew lose too much is not what
    makes a large one.
    """
    scaled = features(usual, known, reactive_rate, period_s, goal_share)
    total = _quadratic(BASE, scaled[1:])
    total += scaled[0] * _quadratic(SLOPE, scaled)
    return np.clip(total, LOWEST, HIGHEST).astype(np.float64)


def _quadratic(table: tuple[tuple[float, ...], ...], scaled: list[Feature]) -> Feature:
    """Row i of the table: the weight of feature i, then those of its products with itself and all later ones.

    The last row is the constant.
    """
    total = np.full_like(scaled[0], table[-1][0])
    for first, (linear, squared, *weights) in enumerate(table[:-1]):
        slope = scaled[first] * np.float32(squared)
        slope += np.float32(linear)
        for weight, other in zip(weights, scaled[first + 1 :], strict=True):
            slope += other * np.float32(weight)
        slope *= scaled[first]
        total += slope
    return total


def features(
    usual: Array, known: Estimates, reactive_rate: Array, period_s: Array, goal_share: Array
) -> list[Feature]:
    """ln N, acceptance, ln(lead × release rate), ln(T / response), ln(θ / μ), reactive load, ln goal.

    Each brought to about −1…1 and held to ±`EDGE`; shapes (n,). Single precision changes the margin by a
    thousandth of the fit's own error.
    """
    crew, delay_s, release_rate, abandon_rate, reactive, period, goal = (
        column.astype(np.float32)
        for column in (
            usual,
            known.accept_delay_s,
            known.release_rate,
            known.abandon_rate,
            reactive_rate,
            period_s,
            goal_share,
        )
    )
    np.clip(delay_s, 1.0, 120.0, out=delay_s)
    np.maximum(crew, 1.0, out=crew)
    columns = (
        np.log(crew),
        known.acceptance.astype(np.float32),
        np.log((delay_s + period / 2.0) * release_rate),
        np.log(period / delay_s),
        np.log(abandon_rate / release_rate),
        reactive / (crew * release_rate),
        np.log(np.maximum(goal, 1e-4)),
    )
    return [
        np.clip((column - centre) / width, -EDGE, EDGE)
        for column, centre, width in zip(columns, CENTRES, WIDTHS, strict=True)
    ]

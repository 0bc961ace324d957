"""The fitted margin: what the closed form's safety lacks or has too much to lose just the goal.

Called by position.py once per cycle; arrays in, arrays out.
tools/fit_margin.py writes the numbers into surface_table.py; ADR 15 says what they gain.
Never solves or simulates anything.
"""

from typing import Final

import numpy as np

from paceline.pacer.estimators import Estimates
from paceline.pacer.state import Array
from paceline.pacer.surface_table import CONSTANT, LINEAR, QUADRATIC

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
    """Standard deviations added to z: a quadratic in seven features; shapes (n,).

    `usual` [agents], `reactive_rate` [1/s], `period_s` [s], `goal_share` (0–1).
    """
    scaled = features(usual, known, reactive_rate, period_s, goal_share)
    total = np.full_like(usual, CONSTANT)
    for first, feature in enumerate(scaled):
        slope = np.full_like(feature, LINEAR[first])
        for weight, other in zip(QUADRATIC[first], scaled[first:], strict=True):
            slope += weight * other
        total += slope * feature
    return np.clip(total, LOWEST, HIGHEST)


def features(
    usual: Array, known: Estimates, reactive_rate: Array, period_s: Array, goal_share: Array
) -> list[Array]:
    """ln N, acceptance, ln(lead × release rate), ln(T / response), ln(θ / μ), reactive load, ln goal.

    Each brought to about −1…1 and held to ±`EDGE`; shapes (n,).
    """
    delay_s = np.clip(known.accept_delay_s, 1.0, 120.0)
    crew = np.maximum(usual, 1.0)
    columns = (
        np.log(crew),
        known.acceptance,
        np.log((delay_s + period_s / 2.0) * known.release_rate),
        np.log(period_s / delay_s),
        np.log(known.abandon_rate / known.release_rate),
        reactive_rate / (crew * known.release_rate),
        np.log(np.maximum(goal_share, 1e-4)),
    )
    return [
        np.clip((column - centre) / width, -EDGE, EDGE)
        for column, centre, width in zip(columns, CENTRES, WIDTHS, strict=True)
    ]

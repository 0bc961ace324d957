"""Conjugate counts with forgetting: Gamma for rates, Beta for shares, and a CUSUM that says when they jumped.

Called by the pacer's estimators; arrays in, arrays out.
Never keeps state: the caller holds the counts.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ONE_SIDED_80: Final = 0.8416212
"""Standard normal quantile at 0.8."""
CUSUM_DRIFT: Final = 0.5
CUSUM_THRESHOLD: Final = 5.0
"""Drift and threshold in standard deviations: PACING.md, "The position rule"."""


def forgetting(amount: Array | float, memory: float) -> Array:
    """Factor exp(-amount / memory) by which counts shrink after `amount` of time or of events (≥ 0, same unit)."""
    return np.asarray(np.exp(-np.asarray(amount, dtype=np.float64) / memory))


def gamma_mean(
    events: Array, exposure: Array, *, prior_events: Array | float, prior_mean: Array | float
) -> Array:
    """Posterior mean of a rate: (events + a) / (exposure + a / prior_mean), a = `prior_events` > 0.

    Shapes (n,), events per unit of `exposure`; tends to `prior_mean` without exposure.

    References
    ----------
    Gelman et al., Bayesian Data Analysis (2013), 2.6.
    """
    return np.asarray((events + prior_events) / (exposure + prior_events / prior_mean))


def share_bounds(
    share: Array, trials: Array, quantile: Array | float = ONE_SIDED_80
) -> tuple[Array, Array]:
    """Lower and upper bound of a share seen in `trials` trials (≥ 0), both in [0, 1].

    With few trials the bounds tend to 0 and 1.

    References
    ----------
    Wilson, J. Am. Stat. Assoc. 22 (1927): score interval.
    """
    weight = np.maximum(trials, 1e-9)
    pull = quantile * quantile / weight
    whole = 1.0 + pull
    centre = (share + 0.5 * pull) / whole
    half = quantile * np.sqrt((share * (1.0 - share) + 0.25 * pull) / weight) / whole
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    return np.minimum(low, share), np.maximum(high, share)


def cusum(rise: Array, fall: Array, residual: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Advance a two-sided CUSUM by one standardised residual; return both sums and where it rang.

    Shapes (n,); sums ≥ 0, set back to 0 where it rang.

    References
    ----------
    Page, Biometrika 41 (1954), eq. of the one-sided scheme, run in both directions.
    """
    rise = np.maximum(0.0, rise + residual - CUSUM_DRIFT)
    fall = np.maximum(0.0, fall - residual - CUSUM_DRIFT)
    rang = (rise > CUSUM_THRESHOLD) | (fall > CUSUM_THRESHOLD)
    return np.where(rang, 0.0, rise), np.where(rang, 0.0, fall), rang

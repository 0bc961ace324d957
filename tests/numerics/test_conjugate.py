"""Conjugate counts and the change detector against known values."""

import numpy as np

from paceline.numerics.conjugate import cusum, forgetting, gamma_mean, share_bounds


def test_rate_without_exposure_is_the_prior() -> None:
    """A Gamma rate without data is its prior mean; with much data it is the data's."""
    rate = gamma_mean(np.array([0.0, 5e6]), np.array([0.0, 1e8]), prior_events=3, prior_mean=1 / 60)
    assert np.allclose(rate, [1 / 60, 0.05], rtol=1e-4)


def test_share_bounds_hold_the_share_and_narrow() -> None:
    """Wilson bounds enclose the share, stay in [0, 1] and narrow with trials."""
    share = np.array([0.0, 0.3, 1.0])
    few, many = share_bounds(share, np.full(3, 5.0)), share_bounds(share, np.full(3, 500.0))
    for low, high in (few, many):
        assert (low >= 0).all() and (high <= 1).all()
        assert (low <= share).all() and (share <= high).all()
    assert (many[1] - many[0] < few[1] - few[0]).all()


def test_cusum_rings_after_a_jump_of_one_deviation_in_eleven_steps() -> None:
    """Residuals of 1 with drift 0.5 pass threshold 5 at the eleventh step, and the sum starts again."""
    rise = fall = np.zeros(1)
    for step in range(1, 12):
        rise, fall, rang = cusum(rise, fall, np.ones(1))
        assert bool(rang[0]) == (step == 11)
    assert rise[0] == 0.0


def test_forgetting_halves_after_ln_two_memories() -> None:
    """Counts fall to a half after ln 2 memories."""
    assert np.isclose(forgetting(120 * np.log(2), 120), 0.5)

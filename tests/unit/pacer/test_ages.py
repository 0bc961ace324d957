"""The ages of an invitation: the window covers its life, and counts move between grids unharmed."""

import numpy as np
import pytest

from paceline.pacer.ages import AGE_WINDOW_S, AgeGrid


@pytest.mark.parametrize("period_s", [0.5, 1.0, 2.0, 5.0, 7.0, 10.0, 60.0, 100.0])
def test_the_window_covers_an_invitations_life(period_s: float) -> None:
    """Ages of one cycle reach 80 s whatever the cycle: a shorter window let abandonment reach 6.9 % at N = 500."""
    grid = AgeGrid.covering(period_s)
    assert grid.age_count * period_s >= AGE_WINDOW_S >= 80.0
    assert grid.bucket[0] == 0
    assert grid.bucket[-1] == grid.bucket_count - 1
    assert set(np.diff(grid.bucket)) <= {0, 1}


def test_old_ages_are_counted_together() -> None:
    """At T = 1 s eighty ages need 33 counts; the first ten stay apart."""
    grid = AgeGrid.covering(1.0)
    assert (grid.age_count, grid.bucket_count) == (80, 33)
    assert grid.bucket[:10].tolist() == list(range(10))


def test_gathering_and_spreading_keep_sums() -> None:
    """Nothing is lost between single ages and buckets, nor when a longer record is fitted."""
    grid = AgeGrid.covering(1.0)
    ages = np.random.default_rng(1).random((90, 3)).astype(np.float32)
    fitted = grid.fitted(ages)
    assert np.allclose(fitted.sum(axis=0), ages.sum(axis=0))
    gathered = grid.gathered(fitted)
    assert np.allclose(gathered.sum(axis=0), ages.sum(axis=0))
    assert np.allclose(grid.gathered(grid.spread(gathered)), gathered)

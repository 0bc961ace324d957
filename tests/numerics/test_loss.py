"""The normal loss function against its closed form and its own inverse."""

import numpy as np

from paceline.numerics.loss import HIGHEST_Z, inverse_loss, loss


def test_loss_at_zero_is_density() -> None:
    """Loss(0) = φ(0) = 0.39894, and Loss(1) = 0.08332 (standard tables of the newsvendor loss)."""
    assert np.allclose(loss(np.array([0.0, 1.0, 2.0])), [0.398942, 0.083315, 0.008491], atol=1e-6)


def test_loss_of_opposite_arguments_differs_by_z() -> None:
    """Loss(-z) = z + Loss(z), the identity behind its left asymptote."""
    z = np.linspace(-5.0, 5.0, 101)
    assert np.allclose(loss(-z), z + loss(z))


def test_inverse_undoes_loss() -> None:
    """Loss⁻¹(Loss(z)) = z to 2e-5 over the whole table and beyond its left end."""
    z = np.linspace(-20.0, HIGHEST_Z - 0.01, 5001)
    assert np.abs(inverse_loss(loss(z)) - z).max() < 2e-5


def test_inverse_of_nothing_is_the_highest_margin() -> None:
    """No expected queue at all asks for the highest margin, not for infinity."""
    assert np.array_equal(inverse_loss(np.array([0.0, 1e-250])), [HIGHEST_Z, HIGHEST_Z])

"""The position rule: order up to a safe number of expected acceptances, as a newsvendor with a lead time.

Called by the pacer once per cycle; arrays in, arrays out.
PACING.md has the formulas and what they were measured at.
Never looks at missing input (guards.py) and never learns (estimators.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from paceline.numerics.loss import HIGHEST_Z, LOWEST_Z, inverse_loss, loss
from paceline.pacer.estimators import Estimates
from paceline.pacer.state import Array

VARIANCE_FACTOR: Final = 0.75
VARIANCE_FLOOR: Final = 0.05
FEEDBACK_GAIN: Final = 0.3
"""PACING.md, "The position rule"; a gain of 0.5 or more wanders."""
LEAST_WORKING: Final = 0.3
"""Share of the crew that throughput is reckoned from at least (chosen): with nobody busy yet, none would be
allowed to wait at all (z = 6) and an idle crew would fill over many cycles. A crew at work is above it."""
LOSS_AT_ZERO: Final = 0.3989423
"""Loss(0) = φ(0)."""
ROUNDING: Final = 0.25
"""Added before rounding down: PACING.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """Where a target, or all targets that share agents, will be one lead time ahead; shapes (n,)."""

    slack: Array  # m: interactions the agents can take beyond what is on its way
    variance: Array  # v
    throughput: Array  # releases per second, of LEAST_WORKING of the crew at least
    on_the_way: Array  # acceptances expected from pending invitations


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """Agents and work one position is computed from; shapes (n,)."""

    ready: Array
    busy: Array
    waiting: Array
    reactive_rate: Array
    coming: Array
    coming_variance: Array


def position_of(crew: Crew, known: Estimates, period_s: Array) -> Position:
    """Forecast one lead time h ahead: m = c(R−Q) + rel − λh − pend and its variance v.

    References
    ----------
    Bhulai and Koole, IEEE Trans. Automatic Control 48:8 (2003): optimal control of blended queues.
    """
    lead_s = known.accept_delay_s + period_s / 2.0
    stays = np.exp(-known.release_rate * lead_s)
    released = crew.busy * (1.0 - stays)
    reactive = crew.reactive_rate * lead_s
    flow = np.maximum(crew.busy * known.release_rate - crew.reactive_rate, 0.0) * lead_s
    pull = np.clip(0.6 * np.sqrt(flow), 1.0, 1.6)
    slack = pull * (crew.ready - crew.waiting) + released - reactive - crew.coming
    variance = VARIANCE_FACTOR * (released * stays + reactive + crew.coming_variance)
    working = np.maximum(crew.busy, LEAST_WORKING * (crew.busy + crew.ready))
    return Position(slack, variance, working * known.release_rate, crew.coming)


def safety_margin(place: Position, known: Estimates, goal_share: Array, shift: Array) -> Array:
    """z = Loss⁻¹(0.98 g Bμ/(θ sd)) + feedback, by Little's law θ E[queue] = g × throughput."""
    per_u = VARIANCE_FACTOR * (1.0 - known.acceptance)
    at_slack = place.variance + per_u * np.maximum(place.slack, 0.0) + VARIANCE_FLOOR
    queue = goal_share * place.throughput / known.abandon_rate
    # A queue beyond Loss(0) asks for more acceptances than the slack; without their variance u could fall as
    # m rises.
    beyond = np.maximum(queue - LOSS_AT_ZERO * np.sqrt(at_slack), 0.0)
    spread = np.sqrt(at_slack + per_u * beyond)
    return np.clip(inverse_loss(queue / spread) + shift, 4 * LOWEST_Z, HIGHEST_Z)


def acceptances_wanted(place: Position, known: Estimates, z: Array) -> Array:
    """Solve m − u = z √(v + .75u(1−W) + (pend+u)²τ²) for u ≥ 0, a quadratic in u.

    Doubt about W (τ) counts only where it makes the rule more careful (z > 0); for z < 0 it would invite more.
    u rises with m and falls with z.
    """
    share = known.acceptance
    doubt = np.where(z > 0.0, (1.0 - share) / (share * (known.trials + 1.0)), 0.0)
    z2 = z * z
    per_u = VARIANCE_FACTOR * (1.0 - share)
    a = 1.0 - z2 * doubt
    b = 2.0 * place.slack + z2 * (per_u + 2.0 * doubt * place.on_the_way)
    c = place.slack**2 - z2 * (place.variance + place.on_the_way**2 * doubt)
    root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
    at_zero = np.sqrt(place.variance + place.on_the_way**2 * doubt)
    careful = 2.0 * c / np.maximum(b + root, 1e-9)
    bold = 0.5 * (b + root)
    wanted = np.where(z > 0.0, careful, bold)
    return np.where(place.slack - z * at_zero > 0.0, np.maximum(wanted, 0.0), 0.0)


def invitations(wanted: Array, acceptance: Array) -> Array:
    """Invitations for `wanted` acceptances: ⌊u/W + .25⌋."""
    return np.asarray(np.floor(wanted / acceptance + ROUNDING))


def forecast(place: Position, known: Estimates, expected: Array) -> Array:
    """Share of accepted visitors expected to leave if `expected` more accept; in [0, 1]."""
    spread = np.sqrt(
        place.variance + VARIANCE_FACTOR * expected * (1.0 - known.acceptance) + VARIANCE_FLOOR
    )
    queue = spread * loss((place.slack - expected) / spread)
    leaving = known.abandon_rate * queue
    return np.asarray(leaving / np.maximum(leaving + place.throughput, 1e-9))

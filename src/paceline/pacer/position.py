"""The position rule: order up to a safe number of expected acceptances, as a newsvendor with a lead time.

Called by the pacer once per cycle; arrays in, arrays out.
PACING.md has the formulas and what they were measured at.
Never looks at missing input (guards.py) and never learns (estimators.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from paceline.numerics.loss import HIGHEST_Z, LOWEST_Z, inverse_loss, loss
from paceline.pacer import surface
from paceline.pacer.estimators import Estimates
from paceline.pacer.state import Array

VARIANCE_FACTOR: Final = 0.75
VARIANCE_FLOOR: Final = 0.05
FEEDBACK_GAIN: Final = 0.36
STEADY_GAIN: Final = 0.2
"""Gain where a day has no abandonment and where it has many (chosen, ADR 15; PACING.md has 0.3, and 0.5 or more
wanders). What a large crew needs the fitted margin knows, and every correction is a wrong margin for a while."""
STEEPER: Final = 0.2
STEEPEST_FLOW: Final = 3.0
"""Pull of a free agent, 1 + 0.2 × releases per lead time: chosen among six slopes over 356 cases (ADR 15)."""
USUALLY_FREE: Final = 3.0
"""Agents free at once, beside two lead times' releases, up to which the pull counts (chosen: more are not free in
a steady state): an idle crew of 107 was sent half as much again as it had agents."""
WHOLE_CREW: Final = 10.0
LEAST_WORKING: Final = 0.3
"""Throughput is reckoned from the whole crew up to 10 agents and from three tenths of a large one at least
(chosen): with nobody busy yet, none would be allowed to wait at all, and with all of a large crew idle a wrong
first estimate would flood it. A large crew at work is above it."""
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
    margin: Array  # added to the closed form's safety (surface.py)
    on_the_way: Array  # acceptances expected from pending invitations


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """Agents and work one position is computed from; shapes (n,)."""

    ready: Array
    busy: Array
    usual: Array  # agents logged in, slowly averaged up to the cycle before; 0 = not known yet
    waiting: Array
    reactive_rate: Array
    coming: Array
    coming_variance: Array


def lead_s(known: Estimates, period_s: Array) -> Array:
    """Seconds h from a permit to the acceptance it brings: mean response and half a cycle."""
    return np.asarray(known.accept_delay_s + period_s / 2.0)


def position_of(crew: Crew, known: Estimates, period_s: Array, goal_share: Array) -> Position:
    """Forecast one lead time h ahead: m = c(R−Q) + rel − λh − pend and its variance v.

    Slope and margin follow `crew.usual`, not this cycle's ready agents: else one more could mean fewer permits.

    References
    ----------
    Bhulai and Koole, IEEE Trans. Automatic Control 48:8 (2003): optimal control of blended queues.
    """
    ahead_s = lead_s(known, period_s)
    stays = np.exp(-known.release_rate * ahead_s)
    released = crew.busy * (1.0 - stays)
    reactive = crew.reactive_rate * ahead_s
    usual = np.where(crew.usual > 0.0, crew.usual, crew.busy)
    flow = np.maximum((usual * known.release_rate - crew.reactive_rate) * ahead_s, 0.0)
    free = crew.ready - crew.waiting
    steeper = STEEPER * np.minimum(flow, STEEPEST_FLOW)
    pull = steeper * np.minimum(free, USUALLY_FREE + 2.0 * flow)
    slack = free + pull + released - reactive - crew.coming
    variance = VARIANCE_FACTOR * (released * stays + reactive + crew.coming_variance)
    least = np.clip(WHOLE_CREW / np.maximum(usual, 1.0), LEAST_WORKING, 1.0)
    working = np.maximum(crew.busy, least * (crew.busy + crew.ready))
    margin = surface.margin(usual, known, crew.reactive_rate, period_s, goal_share)
    return Position(slack, variance, working * known.release_rate, margin, crew.coming)


def safety_margin(place: Position, known: Estimates, goal_share: Array) -> Array:
    """Loss⁻¹(g Bμ/(θ sd)) + fitted margin, by Little's law θ E[queue] = g × throughput; before any feedback."""
    per_u = VARIANCE_FACTOR * (1.0 - known.acceptance)
    at_slack = place.variance + per_u * np.maximum(place.slack, 0.0) + VARIANCE_FLOOR
    queue = goal_share * place.throughput / known.abandon_rate
    # A queue beyond Loss(0) asks for more acceptances than the slack; without their variance u could fall as
    # m rises.
    beyond = np.maximum(queue - LOSS_AT_ZERO * np.sqrt(at_slack), 0.0)
    spread = np.sqrt(at_slack + per_u * beyond)
    return inverse_loss(queue / spread) + place.margin


def corrected(margin: Array, shift: Array) -> Array:
    """z: the safety margin shifted by feedback, held to its range."""
    return np.clip(margin + shift, 4 * LOWEST_Z, HIGHEST_Z)


def feedback(debt: Array, scale: Array) -> Array:
    """Shift of z for a debt Y with standard deviation s: Y/s × a gain that falls with the evidence.

    s² − 1 is the number of abandonments of half an hour at the goal.
    """
    gain = STEADY_GAIN + (FEEDBACK_GAIN - STEADY_GAIN) / scale**2
    return np.asarray(gain * debt / scale)


def acceptances_wanted(place: Position, known: Estimates, z: Array) -> Array:
    """Solve m − u = z √(v + .75u(1−W) + (pend+u)²τ²) for u ≥ 0, a quadratic in u.

    Doubt about W (τ) counts only where it makes the rule more careful (z > 0); for z < 0 it would invite more.
    u rises with m and falls with z.
    """
    share = known.acceptance
    is_careful = z > 0.0
    doubt = np.where(is_careful, (1.0 - share) / (share * (known.trials + 1.0)), 0.0)
    z2 = z * z
    per_u = VARIANCE_FACTOR * (1.0 - share)
    at_zero = place.variance + place.on_the_way**2 * doubt
    a = 1.0 - z2 * doubt
    b = 2.0 * place.slack + z2 * (per_u + 2.0 * doubt * place.on_the_way)
    c = place.slack**2 - z2 * at_zero
    b_root = b + np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
    careful = 2.0 * c / np.maximum(b_root, 1e-9)
    wanted = np.where(is_careful, careful, 0.5 * b_root)
    return np.where(place.slack - z * np.sqrt(at_zero) > 0.0, np.maximum(wanted, 0.0), 0.0)


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

"""Queues with patient and impatient customers in steady state: Erlang B and Erlang A, on arrays.

Called by the queueing-rate policy and by tests of the simulators.
Never iterates over servers: incomplete gamma functions, so that 10 000 agents cost what 5 do.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln

Array = NDArray[np.float64]

_HIGHEST_LOG: Final = 600.0
"""exp(600) is far inside float64, and 1/exp(600) is nothing beside any probability here."""
_HALVINGS: Final = 22
"""Bisection steps: the rate is then within 3e-7 of its range."""


def blocking(agents: Array, load: Array) -> Array:
    """Erlang B: share of customers that find all `agents` (≥ 0) busy when nobody may wait.

    Shapes (n,); `load` = arrival rate / service rate ≥ 0, in agents. 0 load gives 0 (1 without agents), and the
    share tends to 1 - agents/load for a large load.

    References
    ----------
    Erlang (1917); B(N, a) = [aᴺe⁻ᵃ/N!] / Q(N+1, a) with Q the regularised upper incomplete gamma function.
    """
    offered = np.maximum(load, 1e-12)
    log_term = agents * np.log(offered) - offered - gammaln(agents + 1.0)
    return np.asarray(np.exp(log_term) / np.maximum(gammaincc(agents + 1.0, offered), 1e-300)).clip(
        0.0, 1.0
    )


def abandonment_share(
    agents: Array, arrival_rate: Array, release_rate: Array, abandon_rate: Array
) -> Array:
    """Erlang A (M/M/N+M): share of customers that leave before they are served, in [0, 1].

    Shapes (n,), rates per second; `agents` > 0, the others > 0. It is at least 1 - 1/ρ, ρ = λ/(Nμ).

    References
    ----------
    Palm (1957); Garnett, Mandelbaum, Reiman, M&SOM 4:3 (2002), section 3: with A(x, y) = x eʸ G(x, y)/yˣ, G the
    lower incomplete gamma function, and B the Erlang B share, P(wait) = A B/(1 + (A - 1) B) and
    P(leave | wait) = 1/(ρA) + 1 - 1/ρ.
    """
    load = arrival_rate / release_rate
    rho = load / agents
    x, y = agents * release_rate / abandon_rate, arrival_rate / abandon_rate
    below = np.log(np.maximum(gammainc(x, y), 1e-300))
    log_a = np.log(x) + y - x * np.log(y) + gammaln(x) + below
    a = np.exp(np.minimum(log_a, _HIGHEST_LOG))
    b = blocking(agents, load)
    waits = a * b / (1.0 + (a - 1.0) * b)
    leaves = 1.0 / (rho * a) + 1.0 - 1.0 / rho
    return np.asarray(waits * np.maximum(leaves, 0.0)).clip(0.0, 1.0)


def highest_arrival_rate(
    agents: Array, release_rate: Array, abandon_rate: Array, goal_share: Array
) -> Array:
    """Largest arrival rate [1/s] at which Erlang A loses no more than `goal_share` (0 ≤ share < 1).

    Shapes (n,); 0 without agents or for goal 0. Found by bisection below Nμ/(1 - g), where more must leave.
    """
    staffed = np.maximum(agents, 1e-9)
    high = staffed * release_rate / np.maximum(1.0 - goal_share, 1e-9)
    low = np.zeros_like(high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        is_too_much = abandonment_share(staffed, middle, release_rate, abandon_rate) > goal_share
        high = np.where(is_too_much, middle, high)
        low = np.where(is_too_much, low, middle)
    return np.where((agents > 0.0) & (goal_share > 0.0), low, 0.0)

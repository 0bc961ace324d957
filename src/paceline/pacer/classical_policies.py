"""Policies that other pacers use, as options and as baselines to measure against.

Called by the pacer when one of them is chosen; arrays (n,) in and out. PACING.md says how each fails.
Never learns: they use the pacer's estimates and, where they must, one remembered number per target.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from paceline.numerics.binomial import expected_overflow
from paceline.numerics.erlang import highest_arrival_rate
from paceline.pacer.estimators import Estimates
from paceline.pacer.guards import Levels
from paceline.pacer.state import Array

LOWEST_LEVEL: Final = 1.0
HIGHEST_LEVEL: Final = 3.0
"""Invitations per agent: the usual limits of ratio diallers (facts on other pacers: up to 3 lines per agent)."""
LEVEL_CHANGE_S: Final = 15.0
"""Seconds in which the level moves by the idle share of the agents (the same facts: changed every 15 s)."""
_LARGEST_EXTRA: Final = 4.0
"""Highest overbooking looked at: an expected loss of three quarters, beyond any goal anyone paces with."""
_HALVINGS: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a policy permits, and the number it wants to find again next cycle; shapes (n,)."""

    permits: Array
    level: Array


def naive(levels: Levels, known: Estimates) -> Choice:
    """⌊R/p⌋: as many invitations as fill the idle agents on average, whatever is under way.

    References
    ----------
    Samuelson, Interfaces 29:5 (1999): the rule of early predictive diallers.
    """
    permits = np.floor(levels.ready / known.acceptance)
    return Choice(permits, np.zeros_like(permits))


def super_progressive(levels: Levels, known: Estimates, goal_share: Array) -> Choice:
    """The most invitations n with E[(Bin(n, p) - (R-Q))⁺] ≤ g n p, less those pending; no release is foreseen.

    At least progressive. A goal of 1 (100 %) ends at four times what fills the agents.

    References
    ----------
    Korolev, Anisimov, Ristock (2008), method for small agent groups: only agents idle now count.
    """
    idle = np.maximum(np.floor(levels.ready - levels.waiting), 0.0)
    low = idle
    high = np.ceil(_LARGEST_EXTRA * idle / known.acceptance) + 1.0
    for _ in range(_HALVINGS):
        if (high - low <= 1.0).all():
            break
        middle = np.floor(0.5 * (low + high))
        lost = expected_overflow(idle, middle, known.acceptance)
        is_too_many = lost > goal_share * middle * known.acceptance
        high = np.where(is_too_many, middle, high)
        low = np.where(is_too_many, low, middle)
    permits = np.where(idle > 0.0, np.maximum(low - levels.pending, 0.0), 0.0)
    return Choice(np.floor(permits), np.zeros_like(permits))


def queueing_rate(
    levels: Levels, known: Estimates, goal_share: Array, period_s: Array, carried: Array
) -> Choice:
    """(λ* - λr) T/p invitations each cycle: the arrival rate λ* at which Erlang A loses just the goal.

    Blind to the state of the queue; the part of an invitation left over is carried to the next cycle.

    References
    ----------
    Garnett, Mandelbaum, Reiman, M&SOM 4:3 (2002): Erlang A; Gans and Zhou, Oper. Res. 51:2 (2003): a rate to fill
    agents beside reactive calls.
    """
    agents = levels.ready + levels.busy
    allowed = highest_arrival_rate(agents, known.release_rate, known.abandon_rate, goal_share)
    rate = np.maximum(allowed - known.reactive_rate, 0.0)
    due = rate * period_s / known.acceptance + np.clip(carried, 0.0, 1.0)
    permits = np.floor(due)
    return Choice(permits, due - permits)


def ratio(levels: Levels, period_s: Array, debt: Array, level: Array) -> Choice:
    """⌊level × agents⌋ - (B + Q + K): invitations and interactions together are a multiple of the agents.

    The level rises with the idle share of the agents and falls back to 1 while more visitors leave than the
    goal allows (the "hard limit" of ratio diallers); 1 ≤ level ≤ 3.

    References
    ----------
    The adapted dial level of open-source predictive diallers (parameters: facts on other pacers).
    """
    agents = levels.ready + levels.busy
    idle_share = (levels.ready - levels.waiting) / np.maximum(agents, 1.0)
    moved = level * (
        1.0 + np.clip(idle_share, -0.5, 0.5) * np.minimum(period_s / LEVEL_CHANGE_S, 1.0)
    )
    new = np.where(debt > 0.0, LOWEST_LEVEL, np.clip(moved, LOWEST_LEVEL, HIGHEST_LEVEL))
    under_way = levels.busy + levels.waiting + levels.pending
    return Choice(np.maximum(np.floor(new * agents + 1e-9) - under_way, 0.0), new)

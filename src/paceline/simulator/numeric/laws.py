"""The laws of the worlds: how long visitors think, talk and wait in World E, World R and the bank's day.

Called by world.py. PACING.md, "Worlds", has the figures.
"""

from functools import cache
from math import exp, inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.simulator.bank_day import bank_day
from paceline.simulator.numeric.draws import EXPONENTIAL, LOGNORMAL, NOTHING, TABLE, TABLE_STEP
from paceline.simulator.numeric.scenario import Cell

Array = NDArray[np.float64]
Law = tuple[float, float, float]

TALK_DEVIATION: Final = 0.9
RESPONSE_DEVIATION: Final = 0.7
WRAP_S: Final = 20.0
DECLINE_SHARE: Final = 0.4
TIMEOUT_S: Final = 45.0
"""World R: deviations of the logarithms; 40 % of those who do not accept say so, the others let 45 s pass."""

SERVICE_ROW: Final = 0.0
PATIENCE_ROW: Final = 1.0
_LONGEST: Final = 10.0  # the tables end where one draw in 22,000 is longer


def response(cell: Cell) -> Law:
    """Time until a visitor answers an invitation."""
    if cell.world == "E":
        return (EXPONENTIAL, cell.response_s, 0.0)
    return _lognormal(cell.response_s, RESPONSE_DEVIATION)


def talk(cell: Cell) -> Law:
    """Time with the customer; with `wrap` its mean is `service_s`, in the bank's day the bank's."""
    if cell.world == "E":
        return (EXPONENTIAL, cell.service_s, 0.0)
    if cell.world == "bank":
        return (TABLE, SERVICE_ROW, 0.0)
    return _lognormal(max(cell.service_s - WRAP_S, 1.0), TALK_DEVIATION)


def wrap(cell: Cell) -> Law:
    """Time the agent needs after the customer has gone."""
    return (NOTHING, 0.0, 0.0) if cell.world == "E" else (EXPONENTIAL, WRAP_S, 0.0)


def patience(cell: Cell) -> Law:
    """Time a customer is willing to wait."""
    if cell.world == "bank":
        return (TABLE, PATIENCE_ROW, 0.0)
    return (EXPONENTIAL, cell.patience_s, 0.0)


def timeout_s(cell: Cell) -> float:
    """Life of an invitation."""
    return inf if cell.world == "E" else TIMEOUT_S


def decline_share(cell: Cell) -> float:
    """Share that answers, of those who do not accept."""
    return 1.0 if cell.world == "E" else DECLINE_SHARE


def handle_s(cell: Cell) -> float:
    """Mean time a slot is taken by one interaction."""
    return bank_day().service["all"].mean_s + WRAP_S if cell.world == "bank" else cell.service_s


@cache
def tables() -> Array:
    """Service times and patience of the bank, by survival; rows SERVICE_ROW and PATIENCE_ROW."""
    day = bank_day()
    survival = np.exp(-np.arange(0.0, _LONGEST + TABLE_STEP, TABLE_STEP))
    service = day.service["all"]
    service_row = np.interp(1.0 - survival, service.shares, service.quantiles_s)
    # the patience's hazard is constant between the table's instants: linear in the logarithm of survival
    at_s = np.array(day.patience_at_s, dtype=np.float64)
    spent = -np.log(np.array(day.patience_survival))
    slope = (at_s[-1] - at_s[-2]) / (spent[-1] - spent[-2])
    passed = -np.log(survival)
    within = np.interp(passed, spent, at_s)
    patience_row = np.where(passed > spent[-1], at_s[-1] + slope * (passed - spent[-1]), within)
    return np.stack((service_row, patience_row))


def _lognormal(mean_s: float, deviation: float) -> Law:
    return (LOGNORMAL, mean_s * exp(-deviation * deviation / 2.0), deviation)

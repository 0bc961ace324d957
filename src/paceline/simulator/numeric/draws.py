"""Chance in compiled code: one stream per replication, and the laws that times are drawn from.

Called by the engine only. A replication's draws depend on its own stream alone, so that they are the
same however many replications run beside it.
"""

from math import cos, exp, log, pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paceline.runtime.chance import Chance
from paceline.simulator.numeric.compiled import compiled

Words = NDArray[np.uint64]
Array = NDArray[np.float64]

NOTHING: Final = 0.0
EXPONENTIAL: Final = 1.0
LOGNORMAL: Final = 2.0
TABLE: Final = 3.0
"""Kinds of law; a law is (kind, a, b): mean; median and deviation of the logarithm; row of the tables."""

TABLE_STEP: Final = 0.01
"""Distance of a table's entries: entry i is the time whose survival is exp(−i × step)."""

_SHIFT_17, _SHIFT_23, _SHIFT_41 = np.uint64(17), np.uint64(23), np.uint64(41)
_SHIFT_45, _SHIFT_19, _SHIFT_11 = np.uint64(45), np.uint64(19), np.uint64(11)
_TO_UNIT: Final = 2.0**-53


def streams(seed: int, names: list[str]) -> Words:
    """Starting words of one stream per name; shape (names, 4). A stream depends on seed and name only."""
    chance = Chance(seed)
    words = np.empty((len(names), 4), dtype=np.uint64)
    for row, name in enumerate(names):
        stream = chance.stream(f"numeric world, {name}")
        words[row] = [stream.getrandbits(64) for _ in range(4)]
    return words


@compiled
def uniform(words: Words, row: int) -> float:
    """Next number in [0, 1) of a stream: xoshiro256++ (Blackman and Vigna, ACM TOMS 47:4, 2021)."""
    first, second, third, fourth = words[row, 0], words[row, 1], words[row, 2], words[row, 3]
    mixed = first + fourth
    result = ((mixed << _SHIFT_23) | (mixed >> _SHIFT_41)) + first
    shifted = second << _SHIFT_17
    third ^= first
    fourth ^= second
    second ^= third
    first ^= fourth
    third ^= shifted
    fourth = (fourth << _SHIFT_45) | (fourth >> _SHIFT_19)
    words[row, 0], words[row, 1], words[row, 2], words[row, 3] = first, second, third, fourth
    return float(result >> _SHIFT_11) * _TO_UNIT


@compiled
def standard_exponential(words: Words, row: int) -> float:
    """An exponential time of mean 1."""
    return -log(1.0 - uniform(words, row))


@compiled
def draw(words: Words, row: int, law: Array, tables: Array) -> float:
    """A time in seconds from a law."""
    kind = law[0]
    if kind == EXPONENTIAL:
        return float(law[1]) * standard_exponential(words, row)
    if kind == LOGNORMAL:
        # Box and Muller 1958; the second normal is not kept: one call, two uniforms
        radius = sqrt(2.0 * standard_exponential(words, row))
        angle = 2.0 * pi * uniform(words, row)
        return float(law[1]) * exp(float(law[2]) * radius * cos(angle))
    if kind == TABLE:
        table = tables[int(law[1])]
        place = standard_exponential(words, row) / TABLE_STEP
        entry = min(int(place), table.size - 2)
        return float(table[entry] + (place - entry) * (table[entry + 1] - table[entry]))
    return 0.0


@compiled
def poisson(words: Words, row: int, mean: float) -> int:
    """Events of a Poisson process of rate 1 within `mean`."""
    count = 0
    passed = standard_exponential(words, row)
    while passed < mean:
        count += 1
        passed += standard_exponential(words, row)
    return count


@compiled
def thinned(words: Words, row: int, count: int, share: float) -> int:
    """How many of `count` stay when each does with this probability."""
    staying = 0
    for _ in range(count):
        if uniform(words, row) < share:
            staying += 1
    return staying

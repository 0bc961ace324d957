"""Fits the pacer's margin on simulated days of learning pacers and writes src/paceline/pacer/surface_table.py.

Run off line, by hand: `python -m tools.fit_margin [--cells 420] [--seeds 9101 9102]`, about forty minutes on one
core. Draws contact centres, plays each with several margins and no feedback, finds the margin at which just the
goal is lost, fits those. Starts from the table that is there.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import groupby
from math import exp, log
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from paceline.pacer import estimators, position, surface
from paceline.pacer.estimators import Estimates
from paceline.runtime.chance import Chance, Stream
from paceline.simulator.numeric.day import Day, simulate
from paceline.simulator.numeric.layout import Part
from paceline.simulator.numeric.scenario import Cell
from paceline.simulator.numeric.world import TARGET_TOTALS

Array = NDArray[np.float64]

TABLE = Path(__file__).resolve().parent.parent / "src/paceline/pacer/surface_table.py"
OFFSETS = (-0.7, -0.3, 0.1, 0.5)
"""Margins tried beside that of the present table."""
AIM = 0.97
"""Abandonment looked for, over the goal."""
STEERED = 0.98
"""Share of the goal that the pacers of the fit steer to, whatever their evidence."""
USUAL_SLOPE, SLOPE_WEIGHT = -1.3, 4.0
"""Of ln(abandonment) over the margin: the median, and how much it counts beside a cell's own four points."""
TYPICAL_ERROR = 0.15
RIDGE = 1.0
AT_ONCE = 40
"""Cells played together; more take more memory."""
HEADER = '''"""The fitted margin's coefficients; written by tools/fit_margin.py, do not edit."""

from typing import Final

'''


def drawn(chance: Chance, number: int) -> Cell:
    """One contact centre, a little wider than those of PACING.md's hidden set; every third in World R."""
    stream = chance.stream(f"cal{number}")
    values = {
        "name": str(number),
        "world": "E" if number % 3 else "R",
        "agents": round(_log_uniform(stream, 3, 140)),
        "acceptance": round(
            _log_uniform(stream, 0.06, 0.85)
            if stream.uniform(0, 1) < 0.5
            else stream.uniform(0.06, 0.9),
            3,
        ),
        "response_s": round(stream.uniform(4, 32), 1),
        "service_s": round(_log_uniform(stream, 90, 950)),
        "patience_s": round(_log_uniform(stream, 13, 270)),
        "reactive_share": 0.0 if stream.uniform(0, 1) < 0.25 else round(stream.uniform(0, 0.63), 2),
        "period_s": stream.choice((1.0, 2.0, 2.0, 5.0, 5.0, 5.0, 10.0, 10.0)),
        "goal_percent": round(_log_uniform(stream, 0.7, 7.0), 2),
    }
    return msgspec.convert(values, type=Cell)


def played(cells: list[Cell], seed: int) -> list[tuple[Array, Array]]:
    """Abandoned and accepted of each cell at each of `OFFSETS`, the warm-up left out; cells of one period."""
    parts, offsets = [], []
    for cell in cells:
        days = 24 if cell.agents < 10 else 14 if cell.agents < 30 else 9
        parts += [Part(cell, 0, days) for _ in OFFSETS]
        offsets += [np.full(days, offset) for offset in OFFSETS]
    margin = surface.margin
    added = np.concatenate(offsets)
    surface.margin = _more(margin, added)
    try:
        totals = [_totals(day) for day in simulate(parts, policy="position", seed=seed)]
    finally:
        surface.margin = margin
    width = len(OFFSETS)
    counts = np.array(totals).reshape(len(cells), width, 2)
    return [(cell[:, 0], cell[:, 1]) for cell in counts]


def root(cell: Cell, abandoned: Array, accepted: Array) -> tuple[float, float]:
    """Offset at which `AIM` of the goal is lost, and its standard error: a line through the nearest points."""
    goal = cell.goal_percent / 100.0
    level = np.log((abandoned + 0.3) / (accepted * goal + 0.3))
    weight = (abandoned + 0.3) / 2.0 * np.exp(-np.abs(level - log(AIM)) / 0.7)
    tried, total = np.array(OFFSETS), float(weight.sum())
    at, middle = (weight * tried).sum() / total, (weight * level).sum() / total
    spread = (weight * (tried - at) ** 2).sum() + SLOPE_WEIGHT
    together = (weight * (tried - at) * (level - middle)).sum() + USUAL_SLOPE * SLOPE_WEIGHT
    slope = min(float(together / spread), -0.5)
    found = float(np.clip(at + (log(AIM) - middle) / slope, -2.0, 2.0))
    return found, 1.0 / (total**0.5 * -slope)


def terms(cell: Cell) -> tuple[Array, float]:
    """The fit's terms of a cell with all parameters known, and its margin in the present table."""
    one = {name.name: np.ones(1) for name in fields(Estimates)}
    one["acceptance"] = np.array([cell.acceptance])
    one["accept_delay_s"] = np.array([cell.response_s])
    one["release_rate"] = np.array([1.0 / cell.service_s])
    one["abandon_rate"] = np.array([1.0 / cell.patience_s])
    known = Estimates(**one)
    agents = np.array([float(cell.agents)])
    reactive = cell.reactive_share * agents / cell.service_s
    goal = np.array([STEERED * cell.goal_percent / 100.0])
    period = np.array([cell.period_s])
    features = surface.features(agents, known, reactive, period, goal)
    scaled = np.concatenate(features).astype(np.float64)
    row = np.concatenate((_quadratic_terms(scaled[1:]), scaled[0] * _quadratic_terms(scaled)))
    return row, float(surface.margin(agents, known, reactive, period, goal)[0])


def _quadratic_terms(scaled: Array) -> Array:
    """In the order of the table: each feature with its products, the constant last."""
    rows = [scaled[i] * np.concatenate(([1.0], scaled[i:])) for i in range(scaled.size)]
    return np.concatenate((*rows, [1.0]))


def fit(rows: Array, margins: Array, weights: Array) -> Array:
    """Ridge regression, single outliers weighing less from round to round."""
    robust = weights
    for _ in range(6):
        weighed = rows * robust[:, None]
        penalty = RIDGE * np.eye(rows.shape[1])
        found = np.linalg.solve(weighed.T @ weighed + penalty, weighed.T @ (margins * robust))
        robust = weights / np.sqrt(1.0 + ((margins - rows @ found) / 0.4) ** 2)
    return np.asarray(found, dtype=np.float64)


def main() -> None:
    """Draw, play, fit on five sixths and report on the rest, write the fit on all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cells", type=int, default=420, help="contact centres per seed")
    asked.add_argument("--seeds", type=int, nargs="+", default=[9101, 9102])
    asked.add_argument("--dry", action="store_true", help="report only")
    given = asked.parse_args()
    position.__dict__.update(FEEDBACK_GAIN=0.0, STEADY_GAIN=0.0)
    estimators.__dict__.update(LEAST_AIM=STEERED, MOST_AIM=STEERED)
    rows, margins, weights = [], [], []
    for seed in given.seeds:
        for cell, counts in _all_played(seed, given.cells):
            offset, error = root(cell, *counts)
            row, present = terms(cell)
            rows.append(row)
            margins.append(present + offset)
            weights.append(0.2 / np.hypot(TYPICAL_ERROR, error))
    table, wanted, weight = np.array(rows), np.array(margins), np.array(weights)
    held = np.arange(len(table)) % 6 == 5
    error_of = wanted[held] - table[held] @ fit(table[~held], wanted[~held], weight[~held])
    print(
        f"margins {wanted.mean():.3f} ± {wanted.std():.3f}; held-out error: median"
        f" {np.median(np.abs(error_of)):.3f}, root mean square {np.sqrt(np.mean(error_of**2)):.3f}"
    )
    if not given.dry:
        TABLE.write_text(_written(fit(table, wanted, weight)), encoding="utf-8")


def _all_played(seed: int, count: int) -> Iterator[tuple[Cell, tuple[Array, Array]]]:
    """A seed's cells with what each lost at each offset; `AT_ONCE` are played together."""
    chance = Chance(seed)
    cells = sorted((drawn(chance, n) for n in range(count)), key=lambda cell: cell.period_s)
    for period_s, group in groupby(cells, key=lambda cell: cell.period_s):
        own = list(group)
        for first in range(0, len(own), AT_ONCE):
            some = own[first : first + AT_ONCE]
            yield from zip(some, played(some, seed), strict=True)
        print(f"seed {seed}, T = {period_s:g} s: {len(own)} cells", flush=True)


def _written(found: Array) -> str:
    """The table as a module."""
    numbers = [round(float(value), 4) for value in found]
    width = len(surface.CENTRES)
    lines, at = [], 0
    for name, size in (("BASE", width - 1), ("SLOPE", width)):
        lines.append(f"{name}: Final = (\n")
        for row in (*range(size + 1, 1, -1), 1):
            lines.append(f"    {tuple(numbers[at : at + row])},\n")
            at += row
        lines.append(")\n")
    return f"{HEADER}{''.join(lines)}"


def _more(margin: Callable[..., Array], added: Array) -> Callable[..., Array]:
    return lambda *where: margin(*where) + added


def _totals(day: Day) -> tuple[float, float]:
    """Abandoned and accepted of all days, after the warm-up."""
    cell = day.part.cell
    begin = round((day.targets.shape[0] - 1) * cell.warm_up_min / 60.0 / cell.hours)
    grown = (day.targets[-1] - day.targets[begin]).sum(axis=(1, 2))
    return tuple(float(grown[TARGET_TOTALS.index(name)]) for name in ("abandoned", "accepted"))  # type: ignore[return-value]  # two names, two totals


def _log_uniform(stream: Stream, low: float, high: float) -> float:
    return exp(stream.uniform(log(low), log(high)))


if __name__ == "__main__":
    main()

"""The day of each cell as a picture: permits, queue, utilization, abandonment.

Called by `paceline simulate --plot`. Draws into a file; opens no window.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from paceline.simulator.numeric.day import BUCKET_S, Day
from paceline.simulator.numeric.world import SITE_TOTALS, TARGET_TOTALS

Array = NDArray[np.float64]

SMOOTHED_BUCKETS: Final = 3
"""Abandonment is shown over a quarter of an hour: shorter stretches hold too few visitors to see a share."""


def draw(days: Sequence[Day], title: str, path: Path) -> None:
    """Write the picture; its kind follows from the file's ending.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        The ending names no kind of picture.
    """
    figure = Figure(figsize=(11, 9), layout="constrained")
    figure.suptitle(title)
    panels: list[Axes] = list(figure.subplots(4, 1, sharex=True))
    for day in days:
        hours = BUCKET_S / 3600.0 * np.arange(1, day.sites.shape[0])
        lines = (_permits(day), _queue(day), _utilization(day), _abandonment(day))
        for panel, line in zip(panels, lines, strict=True):
            panel.plot(hours, line, linewidth=1.0, label=day.part.cell.name)
    names = ("permits per minute", "waiting", "utilization", "abandoned, %")
    for panel, name in zip(panels, names, strict=True):
        panel.set_ylabel(name)
        panel.grid(alpha=0.3)
    for panel in (panels[0], panels[1], panels[3]):
        panel.set_ylim(bottom=0.0)
    for goal in sorted({day.part.cell.goal_percent for day in days}):
        panels[3].axhline(goal, color="black", linestyle=":", linewidth=1.0)
    panels[3].set_xlabel("hours since the start, mean over replications")
    if len(days) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=110)


def _grown(totals: Array, kind: int) -> Array:
    """Growth per bucket and replication."""
    return np.asarray(np.diff(totals[:, kind], axis=0))


def _permits(day: Day) -> Array:
    grown = np.diff(day.permits, axis=0).sum(axis=2).mean(axis=1)
    return np.asarray(grown * 60.0 / BUCKET_S)


def _queue(day: Day) -> Array:
    waited = _grown(day.targets, TARGET_TOTALS.index("waiting_s"))
    return np.asarray(waited.sum(axis=2).mean(axis=1) / BUCKET_S)


def _utilization(day: Day) -> Array:
    busy = _grown(day.sites, SITE_TOTALS.index("in_use_s")).sum(axis=1)
    there = _grown(day.sites, SITE_TOTALS.index("slot_s")).sum(axis=1)
    return np.asarray(busy / np.maximum(there, 1e-9))


def _abandonment(day: Day) -> Array:
    """Percent of the accepted ones, over the stretch that ends with each bucket."""
    sums = []
    for name in ("abandoned", "accepted"):
        total = day.targets[:, TARGET_TOTALS.index(name)].sum(axis=(1, 2))
        before = np.concatenate((np.zeros(SMOOTHED_BUCKETS), total))[: total.size]
        sums.append((total - before)[1:])
    return np.asarray(100.0 * sums[0] / np.maximum(sums[1], 1.0))

"""Figures, intervals and the picture of made-up days."""

from pathlib import Path

import numpy as np
import pytest

from paceline.simulator.numeric.day import Day
from paceline.simulator.numeric.figures import figures
from paceline.simulator.numeric.plot import draw
from paceline.simulator.numeric.world import SITE_TOTALS, TARGET_TOTALS
from tests.unit.simulator.numeric.centres import part_of

ACCEPTED, ABANDONED = TARGET_TOTALS.index("accepted"), TARGET_TOTALS.index("abandoned")


def made_up() -> Day:
    """Two replications of two hours, 100 accepted per bucket; 2 and 4 leave, busy 80 and 90 %."""
    part = part_of(2, hours=2.0, warm_up_min=30.0)
    grown = np.zeros((24, len(TARGET_TOTALS), 2, 1))
    grown[:, ACCEPTED] = 100.0
    grown[:, ABANDONED, 0], grown[:, ABANDONED, 1] = 2.0, 4.0
    grown[12:15, ABANDONED, 0] = 10.0
    sites = np.zeros((24, len(SITE_TOTALS), 2))
    sites[:, 0] = (80.0, 90.0)
    sites[:, 2] = (90.0, 100.0)
    sites[:, (1, 3)] = 100.0

    def summed(values: np.ndarray) -> np.ndarray:
        return np.concatenate((np.zeros_like(values[:1]), np.cumsum(values, axis=0)))

    return Day(part, summed(grown), summed(sites), summed(grown[:, ACCEPTED]))


def test_figures_of_a_day_known_by_hand() -> None:
    """Warm-up left out: 18 buckets; shares pooled; the worst quarter is the one that was made bad."""
    found = figures(made_up(), "position")
    assert found.utilization.value == pytest.approx(0.85)
    # two values 0.05 from their mean: standard error 0.05, Student's t with one degree of freedom 12.706
    assert found.utilization.high - 0.85 == pytest.approx(12.706 * 0.05, rel=1e-3)
    assert found.people_utilization.value == pytest.approx(0.95)
    assert found.abandoned.value == pytest.approx((18 * 2 + 3 * 8 + 18 * 4) / 3600)
    assert found.bad_days == 0.5
    assert found.worst_quarter == pytest.approx(0.07)
    assert found.worst_quarter_of_a_day == pytest.approx(0.07)
    assert found.first_hour_abandoned == pytest.approx(0.03)
    assert found.accepted_per_hour == pytest.approx(1200)


def test_one_replication_has_no_interval() -> None:
    """Its bounds are NaN, its values are there."""
    day = made_up()
    one = Day(part_of(1, hours=2.0), day.targets[:, :, :1], day.sites[:, :, :1], day.permits[:, :1])
    found = figures(one, "position")
    assert found.utilization.value == pytest.approx(0.8)
    assert np.isnan(found.utilization.low)


def test_the_day_is_drawn(tmp_path: Path) -> None:
    """A picture file is written; an ending that names no kind of picture is refused."""
    draw([made_up(), made_up()], "title", tmp_path / "day.png")
    assert (tmp_path / "day.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="nonsense"):
        draw([made_up()], "title", tmp_path / "day.nonsense")

"""From a scenario's name to figures, and the suites of the benchmark."""

from pathlib import Path

import pytest

from paceline.bench.pacing import measure
from paceline.bench.pacing_suites import SUITES, cells_of, random_cells
from paceline.errors.failure import PacelineError
from paceline.simulator.numeric.study import study

SMALL = """
title = "Small"
defaults = { hours = 0.5, warm_up_min = 5, agents = 5, replications = 4 }
[grid]
world = ["E", "R"]
"""


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return str(path)


def test_a_study_has_a_row_per_cell_with_the_bound_where_it_is_known(
    small: str, tmp_path: Path
) -> None:
    """World E has a bound, World R has none; the picture is drawn on the way."""
    picture = tmp_path / "day.svg"
    found = study(small, policy="position", seed=1, with_bound=True, picture=picture)
    assert [row.figures.name for row in found.rows] == ["world=E", "world=R"]
    assert found.rows[0].bound == pytest.approx(0.8562, abs=0.0005)  # PACING.md, N = 5, p = .3
    assert found.rows[1].bound is None
    assert picture.exists()


def test_what_cannot_be_studied_is_refused(small: str, tmp_path: Path) -> None:
    """An unknown policy names the known ones; a picture needs an ending that can be drawn."""
    with pytest.raises(PacelineError, match="position"):
        study(small, policy="best", seed=1)
    with pytest.raises(PacelineError) as refusal:
        study(small, policy="position", seed=1, picture=tmp_path / "day.nonsense")
    assert refusal.value.field == "plot"


def test_every_suite_has_cells_and_a_quick_run_fewer_days() -> None:
    """A quick run leaves out 500 agents and takes a tenth of the days."""
    for suite in SUITES:
        full, quick = cells_of(suite, quick=False), cells_of(suite, quick=True)
        assert 0 < len(quick) <= len(full)
        assert sum(c.replication_count for c in quick) < sum(c.replication_count for c in full) / 4
        assert all(cell.agent_count < 500 for cell in quick)


def test_random_cells_lie_in_the_ranges_of_the_hidden_set() -> None:
    """Every value spans its range of PACING.md, "Suites"; a seed repeats its cells."""
    cells = list(random_cells(1, 200, "E"))
    ranges = {
        "agents": (4, 120),
        "acceptance": (0.08, 0.8),
        "response_s": (5, 30),
        "service_s": (100, 900),
        "patience_s": (15, 240),
        "reactive_share": (0.0, 0.6),
    }
    for name, (low, high) in ranges.items():
        values = [getattr(cell, name) for cell in cells]
        assert low <= min(values) <= max(values) <= high
        assert max(values) - min(values) > 0.8 * (high - low)
    assert {cell.period_s for cell in cells} == {2.0, 5.0, 10.0}
    assert list(random_cells(1, 200, "E")) == cells != list(random_cells(2, 200, "E"))


@pytest.mark.slow
def test_a_measurement_has_lines_for_every_policy() -> None:
    """Two policies in a quick suite: the same cells, ratio below one, position busier than progressive."""
    report = measure(
        ["e-second"], ["position", "progressive"], seed=1, quick=True, progress=lambda *_: None
    )
    lines = {(line.figures.policy, line.figures.name): line for line in report.lines}
    assert len(lines) == 6
    for line in report.lines:
        assert line.ratio is not None
        assert line.ratio.value < 1.01
    assert lines["progressive", "N=20"].figures.replications == 2
    assert (report.baseline_share, report.classes) == (0.25, ())
    ours = lines["position", "N=20"].figures.utilization.value
    assert ours > lines["progressive", "N=20"].figures.utilization.value

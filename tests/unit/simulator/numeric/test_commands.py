"""`paceline simulate` and `paceline bench cycle` as a user types them."""

import json
from pathlib import Path

import pytest

from paceline.cli.app import app
from paceline.errors.failure import PacelineError

SMALL = (
    'title = "Small"\ndefaults = { hours = 0.5, warm_up_min = 5, agents = 5, replications = 3 }\n'
)


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return str(path)


def call(*words: str) -> None:
    app(list(words), standalone_mode=False)


def test_a_scenario_is_simulated_as_table_and_as_json(
    small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table names the cell and says how its intervals were made; JSON has the same figures."""
    call("simulate", small, "--bound")
    told = capsys.readouterr().out
    assert "Small" in told
    assert "0.8562" in told  # the bound of PACING.md, N = 5, p = .3
    assert "Student" in told
    call("simulate", small, "--json", "--replications", "2", "--seed", "7")
    found = json.loads(capsys.readouterr().out)
    assert found["seed"] == 7
    assert found["rows"][0]["figures"]["replications"] == 2
    assert 0.0 < found["rows"][0]["figures"]["utilization"]["value"] < 1.0


def test_the_cycle_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes per target at both cycle lengths; sizes above the largest wanted are left out."""
    call("bench", "cycle", "--json", "--largest", "9", "--rounds", "1")
    found = json.loads(capsys.readouterr().out)
    assert found["steps"] == []
    assert [memory["period_s"] for memory in found["memory"]] == [5.0, 1.0]
    assert all(memory["peak"] >= memory["kept"] > 100 for memory in found["memory"])


@pytest.mark.slow
def test_without_a_terminal_progress_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Share and policy on standard error, at every policy's start at least; figures alone on standard output."""
    policies = ("--policy", "naive", "--policy", "ratio")
    call("bench", "pacing", "--suite", "silent", "--quick", *policies, "--json")
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("0 %", "50 %"))][-1] == "ratio"
    assert any(line.endswith("% naive") for line in lines)
    found = json.loads(told.out)
    assert found["baseline_share"] == 0.25
    assert {line["figures"]["replications"] for line in found["lines"]} == {2, 5}


def test_an_unknown_policy_or_suite_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(PacelineError, match="position"):
        call("bench", "cycle", "--policy", "best")
    with pytest.raises(PacelineError, match="e-grid"):
        call("bench", "pacing", "--suite", "best")

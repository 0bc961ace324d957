"""`paceline demo`: the whole loop on the embedded database, end to end."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.processes import line, open_folder, running, stop

pytestmark = pytest.mark.integration

KEYS = {
    "business_hours", "permits", "invitations", "accepted", "abandoned", "abandoned_percent",
    "abandoned_percent_interval", "goal_percent", "utilization", "reactive", "interactions", "events",
    "events_recounted", "alarms", "log_errors", "policy",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Demos go on where the last one ended: one database is made for all."""
    with open_folder() as made:
        yield made


def test_the_loop_closes_and_goes_on_after_a_restart(folder: Path) -> None:
    """Permits lead to invitations, these to work that agents finish; a restart loses nothing."""
    options = ("--headless", "--json", "--data-dir", folder)
    with running("demo", "--duration", "4s", *options) as first:
        before = json.loads(first.communicate()[0])
    assert first.returncode == 0
    _check(before)
    assert before["policy"] == "position"
    assert not (folder / "run.json").exists()
    with running("demo", "--duration", "3s", "--policy", "progressive", *options) as second:
        after = json.loads(second.communicate()[0])
    _check(after)
    assert after["policy"] == "progressive"
    assert after["interactions"]["submitted"] > before["interactions"]["submitted"]
    assert after["events"] > before["events"]


def _check(summary: dict[str, object]) -> None:
    assert set(summary) == KEYS
    counts = summary["interactions"]
    assert isinstance(counts, dict)
    assert counts["submitted"] == counts["stopped"] + counts["in_system"]
    assert summary["events"] == summary["events_recounted"]
    assert summary["log_errors"] == 0
    for figure in ("business_hours", "permits", "invitations", "accepted", "utilization"):
        assert summary[figure] > 0, figure  # type: ignore[operator]  # all are numbers


def test_interrupt_prints_the_summary(folder: Path) -> None:
    """Ctrl-C ends a demo with its page in order: the summary is printed, the status is 0."""
    with running("demo", "--port", 0, "--speed", 10, "--data-dir", folder) as process:
        assert line(process).startswith("Page: http://127.0.0.1:")
        assert "/enter?key=" in line(process)
        ran = stop(process, signal.SIGINT)
    assert ran.status == 0, ran.err
    assert "utilization of agents" in ran.out

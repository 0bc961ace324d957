"""The loop end to end: every server on its port, the embedded database, a made-up day; then its figures."""

import json

import pytest

from tests.integration.cli.processes import open_folder, process


@pytest.mark.integration
def test_the_loop_runs_and_its_figures_agree() -> None:
    """Invitations are accepted, interactions end, the log recounts to the same, no error is logged."""
    with open_folder() as folder:
        ran = process(
            "demo", "--headless", "--json", "--speed", 120, "--duration", "8s", "--seed", 3,
            "--data-dir", folder / "demo",
        )  # fmt: skip
        assert ran.status == 0, ran.err
        told = json.loads(ran.out)
        assert told["accepted"] > 20
        assert told["invitations"] >= told["accepted"]
        assert told["permits"] >= told["invitations"]
        count = told["interactions"]
        assert count["submitted"] == count["stopped"] + count["in_system"]
        assert told["events"] == told["events_recounted"] > 0
        assert told["log_errors"] == 0, (folder / "demo" / "paceline.log").read_text()
        assert told["policy"] == "position"
        low, high = told["abandoned_percent_interval"]
        assert low <= told["abandoned_percent"] <= high
        assert 0 < told["utilization"] <= 1
        assert told["reactive"]["arrived"] > 0

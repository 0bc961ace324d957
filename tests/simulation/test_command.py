"""`paceline rehearse` as people call it."""

import msgspec
import pytest
from typer.testing import CliRunner

from paceline.cli.app import app
from paceline.simulator.whole import many
from paceline.simulator.whole.plan import Failure, Outcome, Plan


@pytest.mark.integration
def test_many_seeds_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that passed in two lines; one that fails ends it with its shortest beginning and status 1."""
    broken = Failure(invariant="order", what="order: it broke", at_s=9.0, lines=("last line",))

    def rehearse(plan: Plan) -> Outcome:
        return Outcome(
            plan=plan, simulated_s=plan.duration_s, real_s=2.0, faults=3, requests=4, events=5,
            interactions=6, digest="d", failure=broken if plan.seed == 9 else None,
        )  # fmt: skip

    monkeypatch.setattr(many, "rehearse", rehearse)
    words = ["rehearse", "--many", "3", "--jobs", "1", "--hours", "0.02", "--seed"]
    passed = CliRunner().invoke(app, [*words, "1"])
    assert passed.exit_code == 0, passed.output
    assert passed.stdout.startswith("3 seeds passed: 0.1 simulated h, 9 faults")
    failed = CliRunner().invoke(app, [*words, "8"])
    assert failed.exit_code == 1
    assert "seed 9 fails: order: it broke" in failed.stderr
    assert "FAILED after 9.000 s: order" in failed.stdout
    assert "last line" in failed.stdout


@pytest.mark.integration
def test_it_tells_seed_verdict_and_digest() -> None:
    """Half a simulated minute: the seed first, the log's SHA-256 last, status 0; JSON the same."""
    words = ["rehearse", "--seed", "5", "--hours", "0.01", "--profile", "calm"]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    assert said.stderr.splitlines()[0] == "seed 5"
    digest = said.stdout.splitlines()[-1]
    assert digest.startswith("log SHA-256 ")
    again = msgspec.json.decode(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert f"log SHA-256 {again['digest']}" == digest
    assert again["failure"] is None

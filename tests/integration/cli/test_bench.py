"""`paceline bench`: measured shortly, the results have every key that is promised."""

import json

import pytest

from tests.integration.cli.processes import process

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROMISED = (
    "submit_per_s",
    "pull_complete_per_s",
    "cycle_per_s",
    "p99_ms",
    "single_ms",
    "backlog_ratio",
    "rss_mb",
    "skip_locked_ratio",
    "pgmq_ratio",
    "token_ratio",
)


def test_interactions() -> None:
    """The figures of the first number in flight, each with its range, and the others beside."""
    ran = process(
        *("bench", "interactions", "--seconds", 0.2, "--rounds", 1, "--backlog", 2000),
        *("--in-flight", 16, "--in-flight", 4, "--json"),
    )
    assert ran.status == 0, ran.err
    found = json.loads(ran.out)
    for name in PROMISED:
        assert found[name].keys() == {"median", "min", "max"}
        assert found[name]["min"] > 0
    assert [found["in_flight"], *(rates["in_flight"] for rates in found["beside"])] == [16, 4]


def test_failover() -> None:
    """A kill and a stop of a node with its standby, and what callers were told."""
    ran = process("bench", "failover", "--waiting", 500, "--rounds", 1, "--json")
    assert ran.status == 0, ran.err
    found = json.loads(ran.out)
    assert found["lease_s"] - 1 < found["takeover_s"]["median"] < found["lease_s"] + 10
    assert 0 < found["hand_over_s"]["median"] < found["takeover_s"]["median"] + 5
    assert found["waiting"] == 500

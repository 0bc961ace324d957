"""Metrics: names by the rule, servers apart."""

from paceline.runtime.metrics import Metrics


def test_names_follow_the_rule_and_servers_are_apart() -> None:
    """`paceline_{server}_{what}_{unit}[_total]`; two servers in a process do not mix."""
    interaction, pacing = Metrics("interaction"), Metrics("pacing")
    interaction.counter("submitted", "interactions", "Submits.", ("media_type",)).labels(
        "chat"
    ).inc()
    interaction.histogram("commit", "seconds", "Commits.").observe(0.002)
    pacing.gauge("permits", "permits", "Now allowed.").set(3)
    page = interaction.text().decode()
    assert 'paceline_interaction_submitted_interactions_total{media_type="chat"} 1.0' in page
    assert "paceline_interaction_commit_seconds_count 1.0" in page
    assert "_created" not in page
    assert "pacing" not in page
    assert "paceline_pacing_permits_permits 3.0" in pacing.text().decode()

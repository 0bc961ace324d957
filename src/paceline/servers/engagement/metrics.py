"""Figures of the engagement engine; totals over all targets, never one series per target."""

from paceline.runtime.metrics import Metrics


class EngagementFigures:
    """What /metrics shows."""

    def __init__(self, metrics: Metrics) -> None:
        self.reports = metrics.counter(
            "reports", "reports", "Pacing reports by result", ("result",)
        )
        self.invitations = metrics.counter(
            "invitations", "invitations", "Invitations by what became of them", ("state",)
        )
        self.refused = metrics.counter(
            "no_permit", "requests", "Invitations refused for want of a permit"
        )
        self.submissions = metrics.counter(
            "submissions", "interactions", "Submissions by result", ("result",)
        )
        self.pending = metrics.gauge("pending", "invitations", "Invitations without an answer")

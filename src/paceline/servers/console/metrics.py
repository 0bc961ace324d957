"""Figures of the console.

Counted by requests/entrance; shown by wire/server at /metrics.
"""

from paceline.runtime.metrics import Metrics


class ConsoleMetrics:
    """How people came in, or did not."""

    def __init__(self, metrics: Metrics) -> None:
        self.logins = metrics.counter(
            "logins", "count", "Attempts to enter: password, link, refused.", ("outcome",)
        )

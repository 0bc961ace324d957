"""Figures of the Router.

Counted by tasks/dispatch; shown by wire/server at /metrics.
"""

from paceline.runtime.metrics import Metrics


class RouterMetrics:
    """Offers by what became of them, and what is held now."""

    def __init__(self, metrics: Metrics) -> None:
        self.offers = metrics.counter(
            "offers", "count", "Offers to agents, by what became of them.", ("outcome",)
        )
        self.held = metrics.gauge("held", "interactions", "Interactions the router holds.")

"""Figures of the Stat Server."""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from paceline.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True)
class StatMetrics:
    """What the Stat Server measures of itself."""

    events: Counter
    statistics: Gauge
    open_interactions: Gauge
    checkpoint: Histogram


def declare(metrics: Metrics) -> StatMetrics:
    """Declare the figures; once per server."""
    return StatMetrics(
        events=metrics.counter("events", "count", "Reporting events counted, each once."),
        statistics=metrics.gauge("statistics", "count", "Statistics that are counted now."),
        open_interactions=metrics.gauge(
            "open_interactions", "count", "Interactions in a virtual queue or at an agent."
        ),
        checkpoint=metrics.histogram("checkpoint", "seconds", "Time to save a checkpoint."),
    )

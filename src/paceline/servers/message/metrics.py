"""Figures of the Message Server. Made by server.py, counted by the writer."""

from paceline.runtime.metrics import Metrics


class MessageMetrics:
    """Messages by level, alarms raised, alarms that stand."""

    def __init__(self, metrics: Metrics) -> None:
        self.messages = metrics.counter("messages", "count", "Stored log messages", ("level",))
        self.raised = metrics.counter("alarms_raised", "count", "Alarms raised")
        self.active = metrics.gauge("alarms_active", "count", "Alarms that stand")

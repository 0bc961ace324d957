"""Figures of the Configuration Server. Made by server.py, counted where things happen."""

from paceline.runtime.metrics import Metrics


class ConfigurationMetrics:
    """Transactions, objects and refused logins."""

    def __init__(self, metrics: Metrics) -> None:
        self.transactions = metrics.counter(
            "transactions", "count", "Committed changes of the configuration"
        )
        self.objects = metrics.gauge("objects", "count", "Objects in the configuration")
        self.refused_logins = metrics.counter(
            "refused_logins", "count", "Logins refused for a wrong name, password or secret"
        )

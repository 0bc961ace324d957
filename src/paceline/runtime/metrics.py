"""Metrics of one server in Prometheus form, named `paceline_{server}_{what}_{unit}[_total]`.

Each server makes one `Metrics` and declares its figures in its `metrics.py`; wire/server shows the
text at /metrics. Labels are few and bounded: never one per target or interaction.
"""

from collections.abc import Sequence
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CONTENT_TYPE: Final = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4

DURATION_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds, chosen: a durable request takes 1 to 25 ms, a timeout 10 s."""

# The extra `_created` series of each counter are no figures of ours and double the page.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # library untyped


class Metrics:
    """The figures of one server, apart from those of other servers in the same process."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._registry = CollectorRegistry()

    def counter(self, what: str, unit: str, summary: str, labels: Sequence[str] = ()) -> Counter:
        """A count that only grows; its name ends in `_total`."""
        return Counter(self._name(what, unit), summary, labels, registry=self._registry)

    def gauge(self, what: str, unit: str, summary: str, labels: Sequence[str] = ()) -> Gauge:
        """A figure that goes up and down."""
        return Gauge(self._name(what, unit), summary, labels, registry=self._registry)

    def histogram(
        self,
        what: str,
        unit: str,
        summary: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = DURATION_BUCKETS,
    ) -> Histogram:
        """A distribution in buckets."""
        name = self._name(what, unit)
        return Histogram(name, summary, labels, registry=self._registry, buckets=buckets)

    def text(self) -> bytes:
        """All figures in the text form of `CONTENT_TYPE`."""
        return prometheus_client.generate_latest(self._registry)

    def _name(self, what: str, unit: str) -> str:
        return f"paceline_{self._server}_{what}_{unit}"

"""Figures of the pacing server; totals over all targets, never one series per target."""

from paceline.runtime.metrics import Metrics


class PacingFigures:
    """What /metrics shows."""

    def __init__(self, metrics: Metrics) -> None:
        self.cycles = metrics.counter("cycles", "cycles", "Cycles run as master")
        self.late_cycles = metrics.counter("late", "cycles", "Cycles longer than their period")
        self.permits = metrics.counter("permits", "permits", "Permits sent to the engine")
        self.failures = metrics.counter("report_failures", "reports", "Reports that failed")
        self.compute = metrics.histogram("compute", "seconds", "Inputs and decision of a cycle")
        self.round_trip = metrics.histogram("round_trip", "seconds", "Report and its answer")
        self.targets = metrics.gauge("targets", "targets", "Targets by state", ("state",))
        self.pending = metrics.gauge("pending", "invitations", "Invitations pending, all targets")
        self.is_master = metrics.gauge("is_master", "bool", "1 while this node sends")

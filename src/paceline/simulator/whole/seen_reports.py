"""Pacing reports as they cross the network to the engine: decoded, with the time of each moment.

Fed by the simulated HTTP's tap; shown to the invariants over permits.
"""

from collections.abc import Callable

import msgspec

from paceline.simulator.whole.http import HttpFact
from paceline.simulator.whole.permits import SeenReport
from paceline.wire.operations.engagement import Report

PATH = "/api/v2/pacing"
"""Where an engine takes reports (wire/operations/engagement.py)."""

FORGOTTEN_S = 120.0
"""A report without an answer for so long has none: longer than any pause of a process (faults.py)."""

_decode = msgspec.json.Decoder(Report).decode


class SeenReports:
    """See the module."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        arrived: list[Callable[[SeenReport], None]],
        answered: list[Callable[[SeenReport], None]],
    ) -> None:
        self._now = now
        self._arrived = arrived
        self._answered = answered
        self._open: dict[int, SeenReport] = {}

    def take(self, fact: HttpFact) -> None:
        """Something happened to a request."""
        if fact.path != PATH:
            return
        if fact.moment == "arrived":
            self._forget_old()
            seen = SeenReport(report=_decode(fact.body), arrived_at=self._now())
            self._open[fact.number] = seen
            for arrived in self._arrived:
                arrived(seen)
        elif fact.moment in ("answered", "lost"):
            self._end(fact.number, is_answer=fact.moment == "answered", status=fact.status)

    def _end(self, number: int, *, is_answer: bool, status: int) -> None:
        found = self._open.pop(number, None)
        if found is None:
            return
        if is_answer:
            found.answered_at, found.is_taken = self._now(), status == 200
        for answered in self._answered:
            answered(found)

    def _forget_old(self) -> None:
        for number, seen in tuple(self._open.items()):
            if seen.arrived_at < self._now() - FORGOTTEN_S:
                self._end(number, is_answer=False, status=0)

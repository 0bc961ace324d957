"""Invariants over permits: spent at most what one report of one master granted, alive, under the newest epoch.

Judged from the reports that crossed the network to the engine, the invitations that visitors were
told of, and the epochs in the engine's store.
"""

from collections import Counter, deque
from collections.abc import Callable

import msgspec

from paceline.assembly.stored_facts import EngineFacts
from paceline.simulator.whole.history import Asked, History
from paceline.simulator.whole.invariant import InvariantBroken
from paceline.wire.operations.engagement import Report

CLOCK_STEP_S = 10.0
"""A clock that is set back while a permit lives lengthens its life by so much at most (faults.py)."""

KEPT_S = 600.0
"""Reports older than ten minutes have no living permit and are forgotten (chosen: a permit lives for
two periods, a pause of the engine lasts less than a minute)."""

ReportKey = tuple[int, int]
"""Epoch and sequence."""


class SeenReport(msgspec.Struct, kw_only=True, eq=False):
    """A page of a report on its way: when it reached the engine, when the engine's answer left."""

    report: Report
    arrived_at: float
    answered_at: float | None = None
    is_taken: bool = False

    @property
    def key(self) -> ReportKey:
        """What orders reports."""
        return self.report.epoch, self.report.sequence


class _Window(msgspec.Struct, kw_only=True):
    """A time in which one report alone granted."""

    key: ReportKey
    since: float
    permits: dict[str, int]
    spent: Counter[str]
    until: float | None = None


class PermitsSpent:
    """Between the answer to a report and the arrival of the next one only its permits are spent."""

    NAME = "permits spent are at most those of one master's report per period"

    def __init__(self, history: History, now: Callable[[], float]) -> None:
        self._now = now
        self._windows: deque[_Window] = deque()
        self._newest: ReportKey = (-1, -1)
        self._on_the_way = 0
        self._created: deque[Asked] = deque()
        history.on_end(self._look)

    def arrived(self, seen: SeenReport) -> None:
        """A page is at the engine; from now on it may be the one that grants."""
        self._on_the_way += 1
        if self._windows and self._windows[-1].until is None and seen.key != self._windows[-1].key:
            self._windows[-1].until = seen.arrived_at

    def answered(self, seen: SeenReport) -> None:
        """The engine's answer left, or never will."""
        self._on_the_way -= 1
        at = seen.answered_at
        if not seen.is_taken or at is None or seen.key < self._newest:
            return
        permits = {permit.id: permit.permits for permit in seen.report.targets}
        if seen.key == self._newest:
            if self._windows and self._windows[-1].key == seen.key:
                self._windows[-1].permits.update(permits)
            return
        self._newest = seen.key
        is_alone = self._on_the_way == 0 and seen.report.pages == 1
        if is_alone:
            self._windows.append(_Window(key=seen.key, since=at, permits=permits, spent=Counter()))

    def _look(self, asked: Asked) -> None:
        if asked.operation == "invitation.create" and asked.ending == "done":
            self._created.append(asked)

    async def check_now(self) -> None:
        """Counts what was spent since the last step."""
        while self._created:
            asked = self._created.popleft()
            window = self._window_of(asked)
            if window is None:
                continue
            target = asked.request.target
            window.spent[target] += 1
            granted = window.permits.get(target, 0)
            if window.spent[target] > granted:
                raise InvariantBroken(
                    self.NAME,
                    f"target '{target}': {window.spent[target]} invitations between "
                    f"{window.since:.3f} s and {asked.ended_at:.3f} s, when only the report of "
                    f"epoch {window.key[0]}, sequence {window.key[1]} granted, which gave {granted}",
                    about=[target, asked.answer.invitation_id],
                )
        while len(self._windows) > 1 and self._windows[0].since < self._now() - KEPT_S:
            self._windows.popleft()

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()

    def _window_of(self, asked: Asked) -> _Window | None:
        """The window that the whole call lies in: only then it is known which report it spent of."""
        for window in reversed(self._windows):
            if asked.sent_at >= window.since:
                ended_at = asked.ended_at or asked.sent_at
                is_inside = window.until is None or ended_at <= window.until
                return window if is_inside else None
        return None


class NoneSpentDead:
    """Each invitation was made while some report's permit for its target could be alive."""

    NAME = "no permit is spent past its life or under an older epoch"

    def __init__(
        self, history: History, engine: EngineFacts, *, machine_seconds: Callable[[float], float]
    ) -> None:
        self._engine = engine
        self._machine_seconds = machine_seconds
        self._reports: deque[SeenReport] = deque()
        self._created: deque[Asked] = deque()
        self._stored: dict[tuple[str, str], ReportKey] = {}
        self._highest: tuple[int, float] = (-1, 0.0)
        self._problem: InvariantBroken | None = None
        history.on_end(self._look)

    def arrived(self, seen: SeenReport) -> None:
        """A page is at the engine."""
        self._reports.append(seen)
        while self._reports[0].arrived_at < seen.arrived_at - KEPT_S:
            self._reports.popleft()

    def answered(self, seen: SeenReport) -> None:
        """The engine's answer left: an epoch lower than one taken before it came is refused."""
        epoch, since = self._highest
        at = seen.answered_at
        if not seen.is_taken or at is None:
            return
        if seen.report.epoch < epoch and seen.arrived_at > since:
            self._problem = InvariantBroken(
                "epochs are monotone at the engine",
                f"a report of epoch {seen.report.epoch} came at {seen.arrived_at:.3f} s and was "
                f"taken, epoch {epoch} was answered at {since:.3f} s",
            )
        if seen.report.epoch > epoch:
            self._highest = (seen.report.epoch, at)

    def _look(self, asked: Asked) -> None:
        if asked.operation == "invitation.create" and asked.ending == "done":
            self._created.append(asked)

    async def check_now(self) -> None:
        """What was spent since the last step, and the epochs in the store."""
        if self._problem is not None:
            raise self._problem
        while self._created:
            asked = self._created.popleft()
            if not any(self._may_live(seen, asked) for seen in self._reports):
                target = asked.request.target
                raise InvariantBroken(
                    self.NAME,
                    f"target '{target}': an invitation was made between {asked.sent_at:.3f} s and "
                    f"{asked.ended_at or 0:.3f} s, when no report's permit was alive",
                    about=[target, asked.answer.invitation_id],
                )
        stored = await self._engine.epochs()
        for reporter, key in self._stored.items():
            if stored.get(reporter, (-1, -1)) < key:
                raise InvariantBroken(
                    "epochs are monotone at the engine",
                    f"its store went from {key} back to {stored.get(reporter)} for {reporter[0]}",
                )
        self._stored = stored

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()

    def _may_live(self, seen: SeenReport, asked: Asked) -> bool:
        target = asked.request.target
        granted = sum(permit.permits for permit in seen.report.targets if permit.id == target)
        if not granted or seen.arrived_at > (asked.ended_at or asked.sent_at):
            return False
        if seen.answered_at is None:
            return True  # nobody knows when the engine took it
        life_s = self._machine_seconds(seen.report.valid_for_s) + CLOCK_STEP_S
        return asked.sent_at <= seen.answered_at + life_s and not self._was_replaced(seen, asked)

    def _was_replaced(self, seen: SeenReport, asked: Asked) -> bool:
        """Whether a newer report, whole on one page, had been answered before the call began."""
        return any(
            other.is_taken
            and other.key > seen.key
            and other.report.pages == 1
            and other.answered_at is not None
            and other.answered_at < asked.sent_at
            for other in self._reports
        )

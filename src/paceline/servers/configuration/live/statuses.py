"""Status of every application as it last reported it, judged by machine time.

Called by requests/status.py. A report is stored when it says something new; who repeats itself
only moves the time in memory.
"""

from paceline.model.configuration import Application, ConfigurationObject
from paceline.model.instant import to_text
from paceline.runtime.times import MachineTime
from paceline.servers.configuration.store.statuses import StatusStore
from paceline.units.quantities import Millis
from paceline.wire.operations.configuration import ApplicationStatus, ReportStatus

SILENT_AFTER_S = 15.0
"""pacing-service.md §6.2: `unknown` = silent for 15 s."""


class Statuses:
    """Last reports by application."""

    def __init__(self, store: StatusStore, machine: MachineTime) -> None:
        self._store = store
        self._machine = machine
        self._reports: dict[int, tuple[ReportStatus, Millis]] = {}

    async def load(self) -> None:
        """Takes over what was last stored; its times are those of the last new report."""
        self._reports = await self._store.load()

    async def report(self, item: ConfigurationObject, report: ReportStatus) -> None:
        """Takes a report; a new one is in the database after return.

        Several processes may stand for one application: one works, others wait or have lost its
        lease. What a process says that does not work never hides one that does.
        """
        known = self._reports.get(item.id)
        now = self._machine.now()
        if known is not None and report.status != "started":
            works = known[0].status == "started" and not self._is_silent(known[1], now)
            if works and _is_another(known[0], report):
                return
        self._reports[item.id] = (report, now)
        if known is None or known[0] != report:
            await self._store.save(item.tenant, item.id, report, now)

    def of(self, item: ConfigurationObject, body: Application) -> ApplicationStatus:
        """The status of one application now."""
        found = self._reports.get(item.id)
        never_starts = body.application_type == "application_cluster"
        if found is None or never_starts:
            mode = "primary" if body.is_primary else "backup"
            return ApplicationStatus(
                application=item.name,
                application_type=body.application_type,
                status="stopped",
                mode=mode,
            )
        report, at = found
        is_silent = self._is_silent(at, self._machine.now())
        is_over = report.status == "stopped"
        return ApplicationStatus(
            application=item.name,
            application_type=body.application_type,
            status="unknown" if is_silent and not is_over else report.status,
            mode=report.mode,
            reason=report.reason,
            urls=report.urls,
            pid=report.pid,
            reported_at=to_text(at),
        )

    def _is_silent(self, at: Millis, now: Millis) -> bool:
        return now - at > SILENT_AFTER_S * 1000


def _is_another(known: ReportStatus, report: ReportStatus) -> bool:
    """Whether two reports come from different processes; one that has stopped names no address."""
    return known.pid != report.pid or bool(report.urls and known.urls != report.urls)

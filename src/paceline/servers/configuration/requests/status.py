"""Requests around the status of applications: servers report, everyone reads."""

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.servers.configuration.live.statuses import Statuses
from paceline.servers.configuration.rules.principals import APPLICATION
from paceline.servers.configuration.rules.show import sees_tenant
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.configuration import ReportStatus, StatusList, StatusPage
from paceline.wire.page import page_after


class StatusRequests:
    """`application.report_status` and `application.status`."""

    def __init__(self, live: LiveConfiguration, statuses: Statuses) -> None:
        self._live = live
        self._statuses = statuses

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {
            "application.report_status": self.report,
            "application.status": self.status,
        }

    async def report(self, call: Call, request: ReportStatus) -> Done:
        """Takes an application's report; an application speaks only for itself."""
        caller = call.principal
        if caller.kind == APPLICATION and caller.name != request.application:
            raise PacelineError(
                "not_allowed",
                f"application '{caller.name}' may not report for '{request.application}'",
                field="application",
            )
        found = self._live.site.find(("applications", 0, request.application))
        if found is None or found.type != "applications":
            raise PacelineError(
                "not_found",
                f"application '{request.application}' is not in the configuration; create it",
                field="application",
            )
        await self._statuses.report(found, request)
        return Done()

    async def status(self, call: Call, request: StatusList) -> StatusPage:
        """Applications of the caller's tenants in the order of names."""
        found = sorted(
            (
                (item, body)
                for item, body in self._live.snapshot.all_of(Application)
                if sees_tenant(call.principal, item.tenant)
            ),
            key=lambda pair: pair[0].name,
        )
        items, continuation = page_after(
            found, request.continuation, request.limit, lambda pair: pair[0].name
        )
        return StatusPage(
            items=tuple(self._statuses.of(item, body) for item, body in items),
            continuation=continuation,
            complete=continuation is None,
        )

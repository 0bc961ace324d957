"""The pacing endpoint: takes permits, answers with what is pending and what was sent so far."""

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.times import Times
from paceline.servers.engagement.live.book import InvitationBook, Take
from paceline.servers.engagement.live.permits import Grant, Permits
from paceline.servers.engagement.live.writer import Writer
from paceline.servers.engagement.metrics import EngagementFigures
from paceline.servers.engagement.rules.report import check_report
from paceline.servers.engagement.store.invitations import Counts
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.engagement import (
    EngagementTarget,
    EngagementTargetList,
    EngagementTargetPage,
    Report,
    ReportAnswer,
    TargetCounts,
)
from paceline.wire.page import page_after


class ReportRequests:
    """Handlers of reports and of the list of targets."""

    def __init__(
        self,
        *,
        writer: Writer,
        book: InvitationBook,
        permits: Permits,
        times: Times,
        figures: EngagementFigures,
    ) -> None:
        self._writer = writer
        self._book = book
        self._permits = permits
        self._times = times
        self._figures = figures

    @property
    def handlers(self) -> Handlers:
        """Operations of this module."""
        return {"pacing.report": self.report, "engagement_target.list": self.targets}

    async def report(self, call: Call, request: Report) -> ReportAnswer:
        """Take a page; a page that is old or was seen changes nothing and is answered alike."""
        received_at = self._times.business.now()
        try:
            check_report(request)
            take = Take(request, call.principal.name, received_at)
            await self._writer.submit(take, call.deadline)
        except PacelineError as error:
            self._figures.reports.labels(error.name).inc()
            raise
        self._figures.reports.labels("taken").inc()
        return ReportAnswer(
            sequence=request.sequence,
            targets=tuple(_counts(permit.id, self._book) for permit in request.targets),
        )

    async def targets(self, call: Call, request: EngagementTargetList) -> EngagementTargetPage:
        """Targets with permits, and those that have counts only, by id."""
        grants = dict(self._permits)
        names = sorted({*grants, *self._book.targets})
        shown, continuation = page_after(names, request.continuation, request.limit, str)
        return EngagementTargetPage(
            items=tuple(self._row(name, grants.get(name, [])) for name in shown),
            continuation=continuation,
            complete=continuation is None,
        )

    def _row(self, name: str, grants: list[Grant]) -> EngagementTarget:
        now = self._times.business.now()
        counts = self._book.counts(name)
        alive = [grant for grant in grants if now < grant.expires_at]
        last = alive[-1] if alive else None
        return EngagementTarget(
            id=name,
            media_type=grants[-1].permit.media_type if grants else name.rpartition(" - ")[2],
            permits=sum(grant.permit.permits for grant in alive),
            unspent=sum(grant.living(now) for grant in alive),
            expires_at=to_text(last.expires_at) if last else None,
            pending=_pending(counts),
            sent=counts.sent,
            resolved=counts.resolved,
            accepted=counts.accepted,
            reason=last.permit.reason if last else "expired",
        )


def _pending(counts: Counts) -> int:
    return counts.sent - counts.resolved


def _counts(name: str, book: InvitationBook) -> TargetCounts:
    counts = book.counts(name)
    return TargetCounts(
        id=name,
        pending=_pending(counts),
        sent=counts.sent,
        resolved=counts.resolved,
        accepted=counts.accepted,
    )

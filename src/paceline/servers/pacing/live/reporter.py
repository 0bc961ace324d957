"""Reports of the cycle: what is sent, and what an answer means for alarms and round trips.

Called by the cycle, one report at a time. Reads the engine's place anew for each report, so that a
changed address or secret needs no restart.
"""

from dataclasses import dataclass

from paceline.model.instant import to_text
from paceline.model.options import Finding, OptionValues
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource
from paceline.servers.pacing.links.engagement import EngagementLink, Limits, Outcome
from paceline.servers.pacing.links.message import MessageLink
from paceline.servers.pacing.live.round_trips import RoundTrips
from paceline.servers.pacing.rules.alarms import ActiveAlarms, AlarmKind
from paceline.servers.pacing.rules.integration import Integration, read_integration
from paceline.servers.pacing.rules.response import error_of
from paceline.wire.operations.engagement import Permit, Report, TargetCounts
from paceline.wire.operations.pacing import TargetRow

PERMIT_LIFE_PERIODS = 2.0
"""A permit lives two periods from its receipt (INTERFACES: the engine's contract)."""
TIMEOUT_SHARE, SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S = 0.8, 0.25, 10.0
"""Default request timeout: 0.8 × period ÷ speed, 250 ms to 10 s (ARCHITECTURE: decision 9, §1.2)."""

_log = get_log("pacing.report")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who reports."""

    node: str
    cluster: str
    tenant: int


class Reporter:
    """Sends what the cycle decided and keeps the alarms of it."""

    def __init__(
        self,
        identity: Identity,
        *,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        engagement: EngagementLink,
        messages: MessageLink,
        round_trips: RoundTrips,
    ) -> None:
        self._identity = identity
        self._settings = settings
        self._times = times
        self._configuration = configuration
        self._engagement = engagement
        self._messages = messages
        self._round_trips = round_trips
        self._alarms = ActiveAlarms()

    @property
    def active_alarms(self) -> dict[int, dict[str, str]]:
        """Raised alarms, in the form in which they are saved."""
        return self._alarms.texts()

    def restore_alarms(self, saved: dict[int, dict[str, str]]) -> None:
        """Alarms that another life raised are this one's to cancel."""
        self._alarms = ActiveAlarms(saved)

    async def send(self, rows: tuple[TargetRow, ...], *, epoch: int, sequence: int) -> Outcome:
        """Send all permits under this epoch; returns when no request is under way any more."""
        integration, problems = self._integration()
        if integration is None:
            first = problems[0]
            why = f"{first.object}: {first.field}: {first.consequence}"
            return Outcome(sequence, failure=why)
        options = self._settings.current
        limits = Limits(
            timeout_s=self._timeout_s(options),
            retries=options.integer("pacingEndpoint", "retry"),
            page_size=options.integer("pacingEndpoint", "maxTargetsPerRequest"),
        )
        report = self._report_of(rows, epoch, sequence, options)
        outcome = await self._engagement.send(integration, report, limits)
        is_news = self._round_trips.add(
            outcome.round_trip_s,
            limit_s=min(limits.timeout_s, self.period_machine_s()),
            share=options.number("pacingEndpoint", "roundTripWarning"),
            sent_bytes=outcome.sent_bytes,
            targets=len(rows),
        )
        if is_news:
            _log.warning(f"{self._round_trips.warning}: more bandwidth or fewer targets would help")
        return outcome

    def learn(self, outcome: Outcome) -> dict[str, TargetCounts]:
        """Raise and cancel alarms by what came back; returns the counts that can be believed.

        What nothing was learned about keeps its alarm: a failed request heals no target.
        """
        errors = {
            name: why for name, row in outcome.counts.items() if (why := error_of(row)) is not None
        }
        cluster = self._identity.cluster
        if outcome.newer_epoch is None:
            self._observe(AlarmKind.REQUEST_FAILED, {cluster: outcome.failure})
        if outcome.newer_epoch is None and not outcome.failure:
            self._observe(AlarmKind.INVALID_ANSWER, {cluster: outcome.invalid})
            if not outcome.invalid:
                self._observe(AlarmKind.TARGET_ERROR, errors)
        return {name: row for name, row in outcome.counts.items() if name not in errors}

    def period_machine_s(self) -> float:
        """The refresh period in machine seconds."""
        period_s = self._settings.current.seconds("pacing", "refreshPeriod")
        return self._times.business.machine_seconds(period_s)

    def findings(self) -> tuple[Finding, ...]:
        """What keeps permits from reaching the engine."""
        found = list(self._integration()[1])
        for number, texts in self._alarms.texts().items():
            found += [
                Finding(f"'{subject}'", f"alarm {number}", text, "look at the engagement engine")
                for subject, text in texts.items()
            ]
        if self._round_trips.warning:
            where = f"pacing cluster '{self._identity.cluster}'"
            fix = "give it more bandwidth, or this cluster fewer targets"
            found.append(Finding(where, "pacingEndpoint", self._round_trips.warning, fix))
        return tuple(found)

    def _observe(self, kind: AlarmKind, troubles: dict[str, str]) -> None:
        there = {subject: text for subject, text in troubles.items() if text}
        for transition in self._alarms.observe(kind, there):
            self._messages.report(transition)

    def _integration(self) -> tuple[Integration | None, tuple[Finding, ...]]:
        return read_integration(
            self._configuration.snapshot,
            tenant=self._identity.tenant,
            endpoint=self._settings.current.text("pacingEndpoint", "targetEndpoint"),
            application=self._identity.cluster,
        )

    def _timeout_s(self, options: OptionValues) -> float:
        configured = options["pacingEndpoint", "requestTimeout"]
        if isinstance(configured, float):
            return configured
        share = TIMEOUT_SHARE * self.period_machine_s()
        return min(LONGEST_TIMEOUT_S, max(SHORTEST_TIMEOUT_S, share))

    def _report_of(
        self, rows: tuple[TargetRow, ...], epoch: int, sequence: int, options: OptionValues
    ) -> Report:
        period_s = options.seconds("pacing", "refreshPeriod")
        return Report(
            cluster=self._identity.cluster,
            node=self._identity.node,
            epoch=epoch,
            sequence=sequence,
            period_s=period_s,
            sent_at=to_text(self._times.business.now()),
            valid_for_s=PERMIT_LIFE_PERIODS * period_s,
            targets=tuple(_permit_of(row) for row in rows),
        )


def _permit_of(row: TargetRow) -> Permit:
    """A target of the report; a misconfigured one is there too, so that the engine sees why."""
    return Permit(
        id=row.name,
        virtual_queue=row.virtual_queue,
        media_type=row.media_type,
        agent_groups=row.agent_groups,
        permits=row.permits,
        reason=row.reason,
        ready=row.ready,
        goal_percent=row.goal_percent,
        abandonment_percent=row.abandonment_percent,
    )

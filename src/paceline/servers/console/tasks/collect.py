"""Reads every server again and again, each at its own pace, and has the board publish once a second.

Started by server.py. A server that is away or slow holds up nobody but its own section.
"""

from collections.abc import Callable
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Tenant
from paceline.model.options import Finding
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.connection import Subscription
from paceline.servers.console.links.servers import Client, Servers, away
from paceline.servers.console.live.board import Board, FindingLine
from paceline.servers.console.tasks.sections import MAX_ROWS, TIMEOUT_S, Section, sections_of
from paceline.wire.operations.event import EventNotice, StreamEvents

PERIOD_S: Final = 1.0
"""The page updates every second (issue: a live page)."""

SLOW_PERIOD_S: Final = 5.0
"""For what changes rarely: findings (chosen)."""


class Collector:
    """Fills the board."""

    def __init__(
        self,
        *,
        servers: Servers,
        board: Board,
        times: Times,
        tasks: TaskGroup,
        configuration: ConfigurationSource,
        tenant: int,
        own_name: str,
        own_findings: Callable[[], tuple[Finding, ...]],
    ) -> None:
        self._servers = servers
        self._board = board
        self._times = times
        self._tasks = tasks
        self._configuration = configuration
        self._tenant = tenant
        self._own_name = own_name
        self._own_findings = own_findings
        self._subscriptions: list[Subscription[EventNotice]] = []

    def start(self) -> None:
        """Begins to read; all of it ends with the task group."""
        sections = sections_of(self._servers, self._board, self._configuration, self._tenant)
        for section in sections:
            self._tasks.start(f"read {section.name}", self._follow(section))
        self._tasks.start("read findings", self._follow_findings())
        self._tasks.start("publish", self._publish())
        interactions = self._servers.interactions
        if interactions is not None:
            self._subscriptions.append(
                interactions.event.subscribe(
                    lambda: StreamEvents(latest=True, tenant=self._tenant),
                    lambda notice: self._board.add_events(notice.items),
                )
            )

    def close(self) -> None:
        """Takes no more events."""
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()

    # --- loops -----------------------------------------------------------------------------------

    async def _publish(self) -> None:
        while True:
            found = self._configuration.snapshot.objects.get(("tenants", self._tenant))
            if found is not None and isinstance(found.body, Tenant):
                self._board.time_zone = found.body.time_zone
            self._board.publish()
            await self._times.machine.sleep(PERIOD_S)

    async def _follow(self, section: Section) -> None:
        while True:
            problem = away(section.title, section.client)
            if problem is None:
                problem = await self._ask(section)
            if problem is not None:
                self._board.failed(section.name, problem)
            await self._times.machine.sleep(PERIOD_S)

    async def _ask(self, section: Section) -> str | None:
        try:
            problem = await section.read()
        except PacelineError as error:
            return f"the {section.title} cannot be read: {error.message}"
        self._board.answered(section.name)
        return problem

    async def _follow_findings(self) -> None:
        while True:
            told: dict[tuple[str, str, str, str], list[str]] = {}
            for own in self._own_findings():
                key = (own.object, own.field, own.consequence, own.fix)
                told.setdefault(key, []).append(self._own_name)
            for title, client in self._servers.named():
                for key in await self._findings_of(title, client):
                    told.setdefault(key, []).append(title)
            self._board.note("findings", len(told) <= MAX_ROWS)
            self._board.findings = tuple(
                FindingLine(*key, told_by=tuple(by)) for key, by in list(told.items())[:MAX_ROWS]
            )
            await self._times.machine.sleep(SLOW_PERIOD_S)

    async def _findings_of(
        self, title: str, client: Client | None
    ) -> list[tuple[str, str, str, str]]:
        if client is None or not client.connection.is_connected:
            return []
        try:
            found = await client.server.findings(timeout_s=TIMEOUT_S)
        except PacelineError as error:
            about = f"the {title} does not tell its findings: {error.message}"
            return [(title, "findings", about, "see its log; it is asked again by itself")]
        return [(row.object, row.field, row.consequence, row.fix) for row in found.items]

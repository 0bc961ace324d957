"""The reference engagement engine: wires permits, book, submitter and requests, starts and stops them.

Built by assembly (or a test) from a database and an Interaction Server client. One engine writes per
database: a second one that starts takes over, and the first says so and stops writing.
"""

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.model.target import discover
from paceline.runtime.chance import Chance
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource, InteractionServerClient
from paceline.servers.engagement.live.book import ACCEPTED, InvitationBook, Work
from paceline.servers.engagement.live.credentials import EngineTokens, Verify
from paceline.servers.engagement.live.permits import Permits
from paceline.servers.engagement.live.submitter import Submitter, queue_of
from paceline.servers.engagement.live.writer import Outcome, Writer
from paceline.servers.engagement.metrics import EngagementFigures
from paceline.servers.engagement.requests.invitations import InvitationRequests
from paceline.servers.engagement.requests.oauth import TRANSACTION, TokenEndpoint
from paceline.servers.engagement.requests.page import VisitorPage
from paceline.servers.engagement.requests.reports import ReportRequests
from paceline.servers.engagement.store.invitations import InvitationStore
from paceline.servers.engagement.tasks.expire import end_unanswered, forget_batches
from paceline.storage.database import Database
from paceline.storage.lane import Lane
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.call import Handlers
from paceline.wire.open_route import OpenRoute


class EngagementServer(LifeCycle):
    """One engine for one tenant; requests are refused until it has its database."""

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        database: Database,
        interactions: InteractionServerClient,
        metrics: Metrics,
        tenant: int = DEFAULT_TENANT,
        chance: Chance | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._times = times
        self._configuration = configuration
        self._database = database
        self._tenant = tenant
        self._tasks = TaskGroup(name, self.set_unavailable)
        figures = EngagementFigures(metrics)
        permits = Permits()
        self._writer = Writer()
        self._store = InvitationStore(database, tenant)
        self._book = InvitationBook(self._store, permits, figures)
        self._tokens = EngineTokens(times.machine, tenant=tenant)
        self._submitter = Submitter(
            client=interactions,
            writer=self._writer,
            book=self._book,
            times=times,
            tasks=self._tasks,
            options=lambda: settings.current,
            jitter=(chance or Chance()).stream(f"submissions of {name}"),
            figures=figures,
            tenant=tenant,
        )
        self._reports = ReportRequests(
            writer=self._writer, book=self._book, permits=permits, times=times, figures=figures
        )
        self._invitations = InvitationRequests(
            writer=self._writer,
            book=self._book,
            permits=permits,
            submitter=self._submitter,
            store=self._store,
            settings=settings,
            configuration=configuration,
            times=times,
            figures=figures,
            tenant=tenant,
        )
        token_endpoint = TokenEndpoint(configuration, self._tokens, tenant=tenant)
        page = VisitorPage(self._tokens, permits, settings)
        self.open_routes: tuple[OpenRoute, ...] = (*token_endpoint.routes, *page.routes)

    @property
    def handlers(self) -> Handlers:
        """Every operation but the shared ones."""
        return {**self._reports.handlers, **self._invitations.handlers}

    def verifying(self, others: Verify) -> Verify:
        """Wrap the surface's verification: the engine's own tokens count besides all others."""
        return self._tokens.verifying(others)

    def findings(self) -> tuple[Finding, ...]:
        """A credential nobody can have, media whose accepted interactions have nowhere to go."""
        snapshot = self._configuration.snapshot
        found = list(self._settings.findings)
        if snapshot.transaction(self._tenant, TRANSACTION) is None:
            found.append(
                Finding(
                    f"transaction '{TRANSACTION}'",
                    "name",
                    "it does not exist, so no pacing service gets a token",
                    "create it with ewt/client_id and ewt/password",
                )
            )
        for queue, option in self._queues():
            if not queue or (self._tenant, queue) not in snapshot.queues:
                what = (
                    f"the interaction queue '{queue}' does not exist" if queue else "it is not set"
                )
                found.append(
                    Finding(
                        "engagement engine",
                        option,
                        f"{what}: nobody can accept an invitation of this medium",
                        "name an interaction queue",
                    )
                )
        return tuple(found)

    async def _start(self) -> None:
        fence = await self._store.become_writer()
        stored = await self._store.load()
        self._book.restore(stored)
        lane: Lane[Work, Outcome] = Lane(
            self._database, self._book, fence, self._times, on_stale=self._lost_database
        )
        self._writer.open(lane)
        self._tasks.start("writer", lane.run())
        self._tasks.start("expiry", end_unanswered(self._book, self._writer, self._times))
        self._tasks.start(
            "old batches", forget_batches(fence, self._store, self._database, self._times)
        )
        for one in stored.open:
            user_data = stored.submissions.get(one.id)
            if one.state == ACCEPTED and user_data is not None:
                self._submitter.begin(one, user_data)

    async def _stop(self) -> None:
        self._writer.close()
        await self._tasks.aclose()

    def _queues(self) -> list[tuple[str, str]]:
        """Interaction queue and option of each medium that has a pacing target."""
        found = discover(self._configuration.snapshot, tenant=self._tenant)
        media = sorted({target.media_type for target in found.targets})
        return [queue_of(self._settings.current, medium) for medium in media]

    def _lost_database(self, error: PacelineError) -> None:
        self.set_unavailable(f"another engagement engine writes to this database: {error.message}")

"""The pacing server: wires cycle, links and requests together, starts and stops them.

Built by assembly (or a test) from sdk clients, a database and a lease. Without a Message Server it
keeps the alarms itself; it always answers, also while it is not the master.
"""

import httpx

from paceline.checks.capacity import check_capacity
from paceline.checks.virtual_queues import check_virtual_queues
from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.runtime.chance import Chance
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.log import get_log
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource, MessageServerClient, StatServerClient
from paceline.servers.pacing.cycle import Leadership, PacingCycle
from paceline.servers.pacing.links.engagement import EngagementLink
from paceline.servers.pacing.links.message import MessageLink
from paceline.servers.pacing.links.statistics import StatisticsLink
from paceline.servers.pacing.live.agents import AgentStates
from paceline.servers.pacing.live.decision import Decider
from paceline.servers.pacing.live.picture import Picture
from paceline.servers.pacing.live.reporter import Identity, Reporter
from paceline.servers.pacing.live.round_trips import RoundTrips
from paceline.servers.pacing.live.stops import Stops
from paceline.servers.pacing.metrics import PacingFigures
from paceline.servers.pacing.requests.cluster import ClusterRequests, Known
from paceline.servers.pacing.requests.stream import TargetStream
from paceline.servers.pacing.requests.targets import TargetRequests
from paceline.servers.pacing.store.pacer_state import PacerStateStore
from paceline.storage.database import Database
from paceline.wire.call import Handlers
from paceline.wire.open_route import OpenRoute

_log = get_log("pacing")


class PacingServer(LifeCycle):
    """One node of a pacing cluster.

    Parameters
    ----------
    identity
        The node's application, the cluster application whose options it inherits, the tenant.
    messages
        None where the cluster has no connection to a Message Server.
    leadership
        The lease of the cluster's master; assembly acquires, keeps and releases it.
    transport
        Stands in for the network to the engagement engine in tests and simulations.
    """

    open_routes: tuple[OpenRoute, ...] = ()

    def __init__(
        self,
        identity: Identity,
        *,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        database: Database,
        statistics: StatServerClient,
        messages: MessageServerClient | None,
        leadership: Leadership,
        metrics: Metrics,
        transport: httpx.AsyncBaseTransport | None = None,
        chance: Chance | None = None,
    ) -> None:
        super().__init__()
        name, cluster, tenant = identity.node, identity.cluster, identity.tenant
        self._settings = settings
        self._configuration = configuration
        self._tasks = TaskGroup(name, self.set_unavailable)
        states, picture, stops, round_trips = AgentStates(), Picture(), Stops(), RoundTrips()
        self._decider = Decider(tenant, states)
        jitter = (chance or Chance()).stream(f"reports of {name}")
        self._engagement = EngagementLink(times, jitter, transport=transport)
        self._statistics = StatisticsLink(statistics, states)
        self._messages = MessageLink(messages, times, application=name, tenant=tenant)
        self._stream = TargetStream(picture, self._tasks, times.machine)
        self._reporter = Reporter(
            identity,
            settings=settings,
            times=times,
            configuration=configuration,
            engagement=self._engagement,
            messages=self._messages,
            round_trips=round_trips,
        )
        store = PacerStateStore(database, tenant=tenant, cluster=cluster, node=name)
        self._cycle = PacingCycle(
            settings=settings,
            times=times,
            configuration=configuration,
            leadership=leadership,
            statistics=self._statistics,
            decider=self._decider,
            reporter=self._reporter,
            store=store,
            stops=stops,
            picture=picture,
            stream=self._stream,
            figures=PacingFigures(metrics),
        )
        self._requests = TargetRequests(
            identity=identity,
            picture=picture,
            stops=stops,
            mastership=self._cycle,
            store=self._cycle.store_stops,
        )
        known = Known(picture, stops, round_trips, self._cycle)
        self._cluster = ClusterRequests(identity, configuration, known, leadership, store)

    @property
    def handlers(self) -> Handlers:
        """Every operation but the shared ones."""
        return {**self._requests.handlers, **self._cluster.handlers, **self._stream.handlers}

    def findings(self) -> tuple[Finding, ...]:
        """Misconfigured targets, refused statistics, the engine's place and what it answers."""
        snapshot = self._configuration.snapshot
        return (
            *self._settings.findings,
            *check_virtual_queues(snapshot),
            *check_capacity(snapshot),
            *(_without_medium(number) for number in self._decider.discovery.without_medium),
            *self._cycle.findings(),
            *self._reporter.findings(),
        )

    async def _start(self) -> None:
        self._tasks.start("messages", self._messages.run())
        self._tasks.start("cycle", self._cycle.run())

    async def _stop(self) -> None:
        await self._tasks.aclose()
        try:
            await self._cycle.save()
        except PacelineError as error:
            _log.warning("what was learned since the last saving is lost", why=error.message)
        self._statistics.close()
        await self._engagement.close()


def _without_medium(number: str) -> Finding:
    return Finding(
        f"virtual queue '{number}'",
        "statserver.media-type",
        "nothing tells its medium, so what waits in it is not seen by the targets of its agents",
        "set statserver.media-type to its one media type",
    )

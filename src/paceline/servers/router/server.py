"""The Router: joins its tasks to the links it is given, starts and stops them.

Built by assembly, which owns the connections; when the link to the Interaction Server ends, that
server takes back at once whatever the router held.
"""

from collections.abc import Iterator

from paceline.model.configuration import Strategy
from paceline.model.options import Finding, OptionValues
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.stat import StatServerClient
from paceline.servers.router.live.agents import AgentPool
from paceline.servers.router.live.problems import Problems
from paceline.servers.router.metrics import RouterMetrics
from paceline.servers.router.requests.lists import Lists
from paceline.servers.router.rules.strategy_findings import strategy_findings
from paceline.servers.router.tasks.dispatch import Dispatcher
from paceline.servers.router.tasks.follow_agents import AgentFollower
from paceline.servers.router.tasks.pull_views import ViewPulls
from paceline.wire.call import Handlers
from paceline.wire.operations.interaction import DeliveryResult

MAX_NAMED = 5
"""Agents named in one finding (as in checks/capacity)."""


class Router(LifeCycle):
    """Pulls from the views of strategies and delivers to the agents of their virtual queues.

    `interactions` must be connected as client kind `router`.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        interactions: InteractionServerClient,
        statistics: StatServerClient,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._configuration = configuration
        self._interactions = interactions
        self._statistics = statistics
        self._tasks = TaskGroup(f"router {name}", self.set_unavailable)
        self._pool = AgentPool()
        self._problems = Problems()
        self._dispatcher = Dispatcher(
            interactions=interactions,
            configuration=configuration,
            settings=settings,
            times=times,
            tasks=self._tasks,
            pool=self._pool,
            problems=self._problems,
            metrics=RouterMetrics(metrics),
        )
        self._pulls = ViewPulls(
            name=name,
            interactions=interactions,
            configuration=configuration,
            settings=settings,
            times=times,
            tasks=self._tasks,
            problems=self._problems,
            dispatcher=self._dispatcher,
        )
        self._follower = AgentFollower(
            statistics=statistics,
            configuration=configuration,
            settings=settings,
            times=times,
            pool=self._pool,
            problems=self._problems,
            on_available=self._dispatcher.free,
        )
        self._dispatcher.on_released = self._pulls.released
        self._lists = Lists(
            configuration, self._problems, self._dispatcher.held, self._dispatcher.routed
        )
        self._is_running = False

    @property
    def handlers(self) -> Handlers:
        """Every operation of the router but those all servers have."""
        return self._lists.handlers()

    def findings(self) -> tuple[Finding, ...]:
        """Mistakes in options and strategies, and what stands in the way of routing now."""
        snapshot = self._configuration.snapshot
        found = list(self._settings.findings)
        strategies = snapshot.all_of(Strategy)
        for item, strategy in strategies:
            found += strategy_findings(snapshot, item.tenant, item.name, strategy)
        found += self._problems.findings()
        found += self._links()
        found += self._without_capacity()
        return tuple(dict.fromkeys(found))

    async def _start(self) -> None:
        self._is_running = True
        connection = self._interactions.connection
        connection.on_notice("interaction.delivery_result", self._delivery_result)
        connection.watch_connection(self._interactions_changed)
        self._configuration.watch(self._configuration_changed)
        self._settings.watch(self._settings_changed)
        self._tasks.start("follow agents", self._follower.run())
        self._pulls.update()

    async def _stop(self) -> None:
        self._is_running = False
        self._follower.close()
        await self._tasks.aclose()

    # --- what comes from the links ---------------------------------------------------------------

    def _delivery_result(self, result: DeliveryResult) -> None:
        if self._is_running:
            self._dispatcher.take_result(result)

    def _interactions_changed(self, is_connected: bool) -> None:
        if self._is_running and not is_connected:
            self._dispatcher.forget_all()

    def _configuration_changed(
        self, _old: ConfigurationSnapshot, _new: ConfigurationSnapshot
    ) -> None:
        if not self._is_running:
            return
        self._problems.clear()
        self._follower.update()
        self._dispatcher.reconsider()
        self._pulls.update()

    def _settings_changed(self, _old: OptionValues, _new: OptionValues) -> None:
        if self._is_running:
            self._pulls.offer_room()

    # --- findings --------------------------------------------------------------------------------

    def _links(self) -> Iterator[Finding]:
        subject = f"application '{self._name}'"
        if not self._interactions.connection.is_connected:
            yield Finding(
                subject,
                "connections",
                "the Interaction Server is away: nothing is routed",
                "start the Interaction Server this router is connected to",
            )
        if not self._statistics.connection.is_connected:
            yield Finding(
                subject,
                "connections",
                "the Stat Server is away: no agent is known, so everything waits",
                "start the Stat Server this router is connected to",
            )

    def _without_capacity(self) -> Iterator[Finding]:
        lines = {
            (held.tenant, held.virtual_queue, held.media_type, held.groups)
            for held in self._dispatcher.held()
            if held.is_waiting
        }
        for tenant, number, media_type, groups in sorted(lines, key=lambda line: line[:3]):
            unable = self._pool.unable(tenant, media_type, groups)
            if unable:
                named = ", ".join(unable[:MAX_NAMED]) + (", …" if len(unable) > MAX_NAMED else "")
                yield Finding(
                    f"virtual queue '{number}'",
                    "capacity_rule",
                    f"interactions wait and {len(unable)} logged-in agents may take no "
                    f"{media_type}: {named}",
                    f"give these agents a capacity rule with {media_type} 1 or more",
                )

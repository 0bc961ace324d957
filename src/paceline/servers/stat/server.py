"""The Stat Server: made by assembly, follows every connected Interaction Server once started."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.stat.live.agents import Agents
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.opened import Opened
from paceline.servers.stat.live.positions import Positions
from paceline.servers.stat.live.statistics import Statistics
from paceline.servers.stat.live.subscriptions import Subscriptions
from paceline.servers.stat.metrics import declare
from paceline.servers.stat.requests.statistics import StatisticRequests
from paceline.servers.stat.requests.stream import StreamRequests
from paceline.servers.stat.rules.stat_types import Catalogue, catalogue
from paceline.servers.stat.tasks.follow_events import FollowEvents
from paceline.servers.stat.tasks.save_checkpoints import SaveCheckpoints
from paceline.storage.database import Database
from paceline.wire.call import Handlers

EXPIRY_INTERVAL_S: Final = 3600.0
"""Business seconds between looks for totals past their retention: the shortest one allowed."""


MAX_NAMED: Final = 5
"""Agents named in one finding (chosen: enough to begin with, still one line)."""

_NO_SOURCE: Final = (
    "no Interaction Server is connected: nothing is counted",
    "add a connection to an Interaction Server",
)
_LAGGING: Final = (
    "its events are not all taken: statistics are behind",
    "look whether it is started and reachable; the Stat Server goes on by itself",
)
_NEVER_ROUTABLE: Final = (
    "logged in for a medium that no capacity rule allows: never ready there",
    "give the person, the place or the tenant a capacity rule with this medium",
)


class StatServer(LifeCycle):
    """Statistics from the reporting streams.

    Parameters
    ----------
    database
        Holds the checkpoints; without one every start takes the streams from their beginning, and
        totals begin when they are opened.
    interaction_servers
        A client per connected Interaction Server, by the application's name.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        database: Database | None,
        interaction_servers: Mapping[str, InteractionServerClient],
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._name = name
        self.settings = settings
        self._times = times
        self._configuration = configuration
        self._metrics = declare(metrics)
        self._tasks = TaskGroup(name, self.set_unavailable)
        self._catalogue = Catalogue()
        self._centre = Centre(Statistics(), Agents(), Positions())
        self._opened = Opened(self._centre)
        self._subscriptions = Subscriptions(self._centre)
        self._followers = tuple(
            FollowEvents(
                source=source,
                client=client,
                centre=self._centre,
                times=times,
                on_events=self._events_taken,
                on_change=self._sources_changed,
            )
            for source, client in interaction_servers.items()
        )
        positions = self._centre.positions
        positions.sources = tuple(interaction_servers)
        positions.lagging.update(interaction_servers)
        self._checkpoints = (
            None
            if database is None
            else SaveCheckpoints(
                centre=self._centre,
                database=database,
                settings=settings,
                times=times,
                metrics=self._metrics,
            )
        )
        self.handlers = self._make_handlers()

    def _make_handlers(self) -> Handlers:
        requests = StatisticRequests(
            centre=self._centre,
            opened=self._opened,
            subscriptions=self._subscriptions,
            configuration=self._configuration,
            catalogue=lambda: self._catalogue,
            settings=self.settings,
            times=self._times,
        )
        stream = StreamRequests(
            centre=self._centre,
            subscriptions=self._subscriptions,
            find=requests.find,
            background=self._tasks.start,
            times=self._times,
        )
        return requests.handlers | stream.handlers

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with what the server was given, and what is in its way."""
        found = [*self._catalogue.findings, *self._centre.statistics.findings]
        positions = self._centre.positions
        if not positions.sources:
            found.append(Finding(self._name, "connections", *_NO_SOURCE))
        found += [Finding(source, "connection", *_LAGGING) for source in sorted(positions.lagging)]
        if never := self._centre.agents.never_routable():
            named = ", ".join(never[:MAX_NAMED]) + (", …" if len(never) > MAX_NAMED else "")
            found.append(Finding(named, "capacity_rule", *_NEVER_ROUTABLE))
        return tuple(found)

    async def _start(self) -> None:
        self._define(self._configuration.snapshot)
        self._configure(self._configuration.snapshot)
        if self._checkpoints is not None:
            await self._checkpoints.load()
            self._tasks.start("save checkpoints", self._checkpoints.run())
        self._configuration.watch(self._configuration_changed)
        self._tasks.start("expire statistics", self._expire())
        for follower in self._followers:
            follower.start(self._tasks)
        self._sources_changed()

    async def _stop(self) -> None:
        for follower in self._followers:
            follower.stop()
        await self._tasks.aclose()
        if self._checkpoints is not None:
            await self._checkpoints.save()

    def _configuration_changed(
        self, old: ConfigurationSnapshot, new: ConfigurationSnapshot
    ) -> None:
        with suppress(PacelineError):  # deleted while it runs: the last definitions stay
            self._define(new)
        self._configure(new)
        self._subscriptions.regroup()

    def _define(self, snapshot: ConfigurationSnapshot) -> None:
        _, application = snapshot.application(self._name)
        self._catalogue = catalogue(self._name, application.options)

    def _configure(self, snapshot: ConfigurationSnapshot) -> None:
        self._centre.statistics.configure(snapshot)
        self._centre.agents.configure(snapshot, to_text(self._times.business.now()))

    def _events_taken(self, count: int) -> None:
        self._subscriptions.flush()
        self._metrics.events.inc(count)
        self._metrics.open_interactions.set(len(self._centre.interactions))
        self._metrics.statistics.set(len(self._centre.statistics.by_id))

    def _sources_changed(self) -> None:
        lagging = self._centre.positions.lagging
        if lagging:
            self.set_unavailable(f"events of {', '.join(sorted(lagging))} are still to come")
        else:
            self.set_available()

    async def _expire(self) -> None:
        while True:
            await self._times.business.sleep(EXPIRY_INTERVAL_S)
            retention_s = self.settings.current.seconds("statistics", "retention")
            self._opened.expire(self._times.business.now() - round(retention_s * 1000))

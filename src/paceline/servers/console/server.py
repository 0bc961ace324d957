"""The Console: joins board, sessions and routes to the links it is given, starts and stops them.

Built by assembly, which owns the connections and serves `open_routes`. Keeps nothing on disk.
"""

from collections.abc import Callable, Iterator

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.console.links.servers import Servers, away
from paceline.servers.console.live.board import Board
from paceline.servers.console.live.sessions import Sessions
from paceline.servers.console.metrics import ConsoleMetrics
from paceline.servers.console.requests.entrance import Entrance
from paceline.servers.console.requests.guard import Guard
from paceline.servers.console.requests.live_feed import LiveFeed
from paceline.servers.console.requests.pages import LoginForm, Pages
from paceline.servers.console.rules.watchers import Watcher
from paceline.servers.console.tasks.collect import Collector
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.call import Handlers, Principal
from paceline.wire.open_route import OpenRoute


class ConsoleServer(LifeCycle):
    """Shows one tenant's site.

    Parameters
    ----------
    servers
        Clients of the servers it reads; the figures of one that is None are said to be missing.
    verify
        Gives the principal of a token, as for the server's own surface.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        servers: Servers,
        verify: Callable[[str], Principal],
        metrics: Metrics,
        tenant: int = DEFAULT_TENANT,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._tenant = tenant
        self._tasks = TaskGroup(f"console {name}", self.set_unavailable)
        self._servers = servers
        self._sessions = Sessions(settings, times.machine)
        self._guard = Guard(self._sessions, configuration, tenant)
        board = Board(times)
        self._collector = Collector(
            servers=servers,
            board=board,
            times=times,
            tasks=self._tasks,
            configuration=configuration,
            tenant=tenant,
            own_name=name,
            own_findings=self.findings,
        )
        form = LoginForm()
        entrance = Entrance(
            servers=servers,
            verify=verify,
            sessions=self._sessions,
            guard=self._guard,
            form=form,
            settings=settings,
            metrics=ConsoleMetrics(metrics),
        )
        self.open_routes: tuple[OpenRoute, ...] = (
            *Pages(self._guard, form, name).routes(),
            *entrance.routes(),
            *LiveFeed(self._guard, board).routes(),
        )

    @property
    def handlers(self) -> Handlers:
        """None but those all servers have: everything here is an open route behind the cookie."""
        return {}

    def entry_path(self, user: str, tenant: int = DEFAULT_TENANT) -> str:
        """Path of a new one-time link that logs a browser in as this person; for `demo` and `up`.

        Raises
        ------
        PacelineError
            `not_allowed` when the person may not watch this site.
        """
        watcher = Watcher(tenant, user)
        problem = self._guard.refusal(watcher)
        if problem is not None:
            raise PacelineError("not_allowed", f"no link for '{user}': {problem}", field="user")
        return f"/enter?key={self._sessions.new_link(watcher)}"

    def findings(self) -> tuple[Finding, ...]:
        """Mistakes in options, and servers the console cannot ask."""
        return self._settings.findings + tuple(self._away())

    async def _start(self) -> None:
        self._collector.start()

    async def _stop(self) -> None:
        self._collector.close()
        await self._tasks.aclose()

    def _away(self) -> Iterator[Finding]:
        for title, client in self._servers.named():
            problem = away(title, client)
            if problem is not None:
                yield Finding(
                    f"application '{self._name}'",
                    "connections",
                    f"{problem}; its figures are missing or old",
                    f"start the {title}, and see that this console's application is connected to it",
                )

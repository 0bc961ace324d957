"""What a builder gets to make its server from, and what it gives back.

Filled by hosted_server.py, used by the files of each kind. Whatever is opened here is given back
after the server has stopped, in the reverse order.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from paceline.assembly.access import access_point_of, open_store, resolve
from paceline.assembly.leadership import Leadership
from paceline.assembly.site_link import SiteLink, Verify
from paceline.assembly.surroundings import Surroundings
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.model.options import Finding, OptionTable
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource, Connection
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database
from paceline.wire.call import Handlers, Peer
from paceline.wire.open_route import OpenRoute
from paceline.wire.operation import ClientKind
from paceline.wire.server.surface import ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One application and what surrounds it.

    `application` has its cluster's options and connections already; `url` is its own address;
    `holder` names this run of the process in leases; `on_end` ends the server for good.
    """

    name: str
    tenant: int
    application: Application
    settings: LiveSettings
    times: Times
    site: SiteLink
    metrics: Metrics
    embedded: str | None
    holder: str
    url: str
    on_end: Callable[[str], None]
    opened: AsyncExitStack
    surroundings: Surroundings

    @property
    def configuration(self) -> ConfigurationSource:
        """The site's configuration."""
        return self.site.configuration

    def access_point(self) -> AccessPoint:
        """The database the application is connected to."""
        name, point = access_point_of(self.configuration.snapshot, self.name, self.application)
        return resolve(name, point, self.embedded)

    async def store(self, kind: str) -> Database:
        """The application's open database with the current schema of its kind."""
        database = await open_store(
            self.access_point(), (kind,), times=self.times, surroundings=self.surroundings
        )
        self.opened.push_async_callback(database.close)
        return database

    def leadership(self, lease: str, on_lost: Callable[[str], None]) -> Leadership:
        """A wish for a lease in the application's database; not yet taken."""
        leadership = Leadership(
            lease,
            point=self.access_point(),
            holder=self.holder,
            address=self.url,
            times=self.times,
            on_lost=on_lost,
            surroundings=self.surroundings,
        )
        self.opened.push_async_callback(leadership.release)
        return leadership

    def connections(self, application_type: str, client_kind: ClientKind) -> dict[str, Connection]:
        """A connection to each server of this type that the application is connected to, by name."""
        names = _connected(self.configuration.snapshot, self.application, application_type)
        return {name: self.site.connect(name, client_kind, port) for name, port in names.items()}

    def connection(self, application_type: str, client_kind: ClientKind) -> Connection:
        """The connection to the one server of this type.

        Raises
        ------
        PacelineError
            `start_refused` naming the application and the fix when there is not exactly one.
        """
        found = self.optional_connection(application_type, client_kind)
        if found is None:
            raise PacelineError(
                "start_refused",
                f"application '{self.name}' is not connected to a {application_type}; add it to "
                "its connections",
                field="connections",
            )
        return found

    def optional_connection(
        self, application_type: str, client_kind: ClientKind
    ) -> Connection | None:
        """The connection to the one server of this type, None without any."""
        names = _connected(self.configuration.snapshot, self.application, application_type)
        if len(names) > 1:
            raise PacelineError(
                "start_refused",
                f"application '{self.name}' is connected to {', '.join(names)}, which are all "
                f"{application_type}s; keep one of these connections",
                field="connections",
            )
        return next(iter(self.connections(application_type, client_kind).values()), None)


def _connected(
    snapshot: ConfigurationSnapshot, application: Application, application_type: str
) -> dict[str, str]:
    types = {item.name: body.application_type for item, body in snapshot.all_of(Application)}
    return {
        link.server: link.port_id
        for link in application.connections
        if types.get(link.server) == application_type
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A server that is made and not yet started; `handlers` and `open_routes` are asked after that.

    `verify` is for servers that issue tokens of their own beside the site's. `is_trusted` tells
    whether the server may say that it works: with a lease, while it trusts that it has it.
    `on_session` is told of each client session that began.
    """

    server: LifeCycle
    handlers: Callable[[], Handlers]
    findings: Callable[[], tuple[Finding, ...]]
    open_routes: Callable[[], tuple[OpenRoute, ...]] = tuple
    verify: Verify | None = None
    is_trusted: Callable[[], bool] = lambda: True
    on_session: Callable[[Peer], None] = ignored


Build = Callable[[Parts], Awaitable[Built]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of server: the type of its applications, its options and how it is built.

    `is_own_section` tells an option section of the server from one that belongs to the site.
    """

    application_type: str
    options: OptionTable
    build: Build
    is_own_section: Callable[[str, dict[str, object]], bool] = lambda _section, _keys: True

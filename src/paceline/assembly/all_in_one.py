"""A whole site in one process: the embedded database and every server of the configuration.

Started by `demo` and `up`. Each server has a port and a login of its own and talks to the others
through the sdk only, as they would on machines of their own.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from paceline.assembly.configuration import ConfigurationHost
from paceline.assembly.console import entry_path
from paceline.assembly.data_folder import ADMIN, DataFolder, Run, RunningServer
from paceline.assembly.face import LOOPBACK
from paceline.assembly.hosted_server import HostedServer
from paceline.assembly.interaction import last_business_time
from paceline.assembly.kinds import APPLICATION_TYPES
from paceline.assembly.new_secrets import with_new_secrets
from paceline.assembly.site_link import Credentials
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.collector import settle_collector
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.log import get_log
from paceline.runtime.secret import Secret, new_secret
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime, Times, real_times
from paceline.sdk import ConfigurationServerClient, Connection, open_socket_link
from paceline.sdk.directory import Directory
from paceline.sdk.login import TokenKeeper, password_token
from paceline.storage.access_point import AccessPoint, from_url
from paceline.storage.embedded import EmbeddedPostgres
from paceline.units.quantities import Millis
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind
from paceline.wire.operations.configuration import Applied, Change
from paceline.wire.server.listen import bind

DATABASE = "paceline"
"""The one database of a small site; each kind of server has a schema of its own in it."""

WAVES = (("message", "interaction"), ("stat", "engagement"), ("router", "pacing", "console"))
"""Kinds by the order of their connections; those of one wave start together."""

MakeTimes = Callable[[Millis | None], Times]
"""The site's times from the business time at which it stopped; None when it is new."""

T = TypeVar("T")

_log = get_log("assembly.all_in_one")


class AllInOne(LifeCycle):
    """After its start every server answers and run.json says where; after its stop all are stopped.

    Parameters
    ----------
    changes
        The configuration file's objects, applied at each start.
    first_changes
        What is applied instead when the site has no application yet and `changes` is None.
    console_port
        Port of the page; None runs without it.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        make_times: MakeTimes,
        changes: Sequence[Change] | None,
        first_changes: Callable[[], Sequence[Change]],
        console_port: int | None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.servers: list[HostedServer] = []
        self.applied: Applied | None = None
        self.ended = asyncio.Event()
        self.end_reason = ""
        self._make_times = make_times
        self._changes = changes
        self._first_changes = first_changes
        self._console_port = console_port
        self._machine = MachineTime()
        self._begun_at = self._machine.monotonic()
        self._postgres = EmbeddedPostgres(folder.path, real_times())
        self._times: Times | None = None
        self._database_url = ""
        self._host: ConfigurationHost | None = None
        self._connections: list[Connection] = []
        self._token: TokenKeeper | None = None
        self._tasks = TaskGroup("all in one", self._end_for_good)

    @property
    def times(self) -> Times:
        """Both times of the site; after the database's start."""
        return _started(self._times)

    @property
    def client(self) -> ConfigurationServerClient:
        """The Configuration Server as its first administrator sees it."""
        return ConfigurationServerClient(self._connections[0])

    @property
    def configuration_url(self) -> str:
        """Where the Configuration Server is."""
        return _started(self._host).url

    def connect(self, kind: str, client_kind: ClientKind) -> Connection:
        """A lasting connection to the first server of a kind as the first administrator."""
        directory = Directory(self.client, self.times)
        connection = Connection(
            directory.link_to(self.first(kind).name),
            times=self.times,
            client=f"all-in-one to {kind}",
            client_kind=client_kind,
            token=_started(self._token),
        )
        connection.start()
        self._connections.append(connection)
        return connection

    def first(self, kind: str) -> HostedServer:
        """The first server of a kind.

        Raises
        ------
        PacelineError
            `start_refused` when the configuration has no application of it.
        """
        for server in self.servers:
            if server.kind == kind:
                return server
        raise PacelineError(
            "start_refused",
            f"the configuration has no application of type {APPLICATION_TYPES[kind]}; add one",
            field="application_type",
        )

    def entry_link(self) -> str:
        """A one-time link that logs a browser in as the first administrator."""
        console = self.first("console")
        return console.url + entry_path(_started(console.server), ADMIN)

    async def _start(self) -> None:
        if self._console_port:
            bind(LOOPBACK, self._console_port).close()  # a port in use is told before all else
        await self._start_database()
        self.folder.forget_run()
        await self._start_configuration()
        await self._configure()
        self._tell("configuration")
        await self._start_servers()
        self.folder.write_run(self._run())
        settle_collector()
        self._tell("ready")

    async def _stop(self) -> None:
        if self._host is not None:  # not before: the folder may be another process's
            self.folder.forget_run()
        for wave in reversed(WAVES):
            await _together(server.stop() for server in self.servers if server.kind in wave)
        for connection in self._connections:
            await connection.close()
        if self._host is not None:
            await self._host.stop()
        await self._tasks.aclose()
        await self._postgres.stop()

    # --- database --------------------------------------------------------------------------------

    async def _start_database(self) -> None:
        await self._postgres.start()
        self._tasks.start("database", self._postgres.watch())
        await self._postgres.create_database(DATABASE)
        self._database_url = self._postgres.url(DATABASE)
        self._tell("database")
        self._times = self._make_times(await self._stored_business_time())

    async def _stored_business_time(self) -> Millis | None:
        return await last_business_time(self._point(), real_times())

    def _point(self) -> AccessPoint:
        return from_url(self._database_url)

    # --- configuration ---------------------------------------------------------------------------

    async def _start_configuration(self) -> None:
        password = self.folder.password()
        host = self._host = ConfigurationHost(
            point=self._point(),
            site_key=self.folder.site_key(),
            admin=(ADMIN, password),
            times=self.times,
            host=LOOPBACK,
            port=0,
        )
        await host.start()

        async def open_link() -> Link:
            return await open_socket_link(host.url)

        token = password_token(open_link, times=self.times, user=ADMIN, password=password)
        connection = Connection(
            open_link, times=self.times, client="all-in-one", client_kind="operator", token=token
        )
        connection.start()
        self._token = token
        self._connections.append(connection)
        try:
            await token()
        except PacelineError as refused:
            raise PacelineError(
                "start_refused",
                f"data folder {self.folder.path}: user '{ADMIN}' cannot log in with the password "
                f"in {self.folder.password_file.name} ({refused.message}); write the right one "
                "there",
                field="password_file",
            ) from None

    async def _configure(self) -> None:
        changes = self._changes
        if changes is None and not self._applications():
            changes = self._first_changes()
        if changes is not None:
            filled = await with_new_secrets(self.client, changes)
            self.applied = await self.client.configuration.apply(changes=filled)
        known = self.folder.application_secrets()
        new = {name: new_secret() for name, _ in self._applications() if name not in known}
        for name, secret in new.items():
            item, _ = _started(self._host).snapshot.application(name)
            body = msgspec.Raw(msgspec.json.encode({"secret": secret.reveal()}))
            await self.client.object.change(
                type="applications", id=item.id, tenant=item.tenant, body=body
            )
        if new:
            self.folder.keep_application_secrets(known | new)

    def _applications(self) -> list[tuple[str, str]]:
        """Name and kind of every application that runs here."""
        kinds = {APPLICATION_TYPES[kind]: kind for wave in WAVES for kind in wave}
        return [
            (item.name, kinds[body.application_type])
            for item, body in _started(self._host).snapshot.all_of(Application)
            if body.application_type in kinds and body.state == "enabled"
        ]

    def _runs(self, kind: str) -> bool:
        return kind != "console" or self._console_port is not None

    # --- servers ---------------------------------------------------------------------------------

    async def _start_servers(self) -> None:
        secrets = self.folder.application_secrets()
        applications = self._applications()
        for wave in WAVES:
            begun = [
                self._hosted(kind, name, secrets[name])
                for name, kind in applications
                if kind in wave and self._runs(kind)
            ]
            self.servers += begun
            await _together(server.start() for server in begun)
            self._tell(", ".join(wave))
        await _together(server.site.wait_connected() for server in self.servers)

    def _hosted(self, kind: str, name: str, secret: Secret) -> HostedServer:
        server = HostedServer(
            kind,
            name,
            site_url=self.configuration_url,
            credentials=Credentials(secret),
            times=self.times,
            port=self._console_port if kind == "console" else None,
            embedded=self._database_url,
            # Only one process can have the folder, so that its own lease may be taken back at once.
            holder=f"{name} on its own data folder",
        )
        self._tasks.start(f"watch {name}", self._watch(server))
        return server

    async def _watch(self, server: HostedServer) -> None:
        await server.ended.wait()
        self._end_for_good(f"{server.name}: {server.end_reason}")

    def _end_for_good(self, reason: str) -> None:
        self.set_unavailable(reason)
        self.end_reason = self.end_reason or reason
        self.ended.set()

    def _run(self) -> Run:
        pid = os.getpid()
        host = _started(self._host)
        running = [("configuration", host.name, host.url)]
        running += [(server.kind, server.name, server.url) for server in self.servers]
        servers: dict[str, list[RunningServer]] = {}
        for kind, name, url in running:
            servers.setdefault(kind, []).append(RunningServer(name=name, url=url, pid=pid))
        return Run(
            servers=servers,
            console=next((s.url for s in self.servers if s.kind == "console"), ""),
            user=ADMIN,
            password_file=str(self.folder.password_file),
            database=self._database_url,
        )

    def _tell(self, what: str) -> None:
        passed_s = round(self._machine.monotonic() - self._begun_at, 3)
        _log.standard("started", what=what, after_s=passed_s)


def _started(part: T | None) -> T:
    if part is None:
        raise PacelineError("shutting_down", "the site is not started")
    return part


async def _together(works: Iterable[Awaitable[None]]) -> None:
    """All of them at once; when some fail, the first failure after all have ended."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result

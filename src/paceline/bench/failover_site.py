"""A site of real processes: a database, a Configuration Server, and one interaction node twice.

Each process is a `paceline serve`, as a service manager would run it. Used by `bench failover` and by the
fault tests, which kill and stop them.
"""

import asyncio
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from paceline.assembly.data_folder import ADMIN
from paceline.assembly.face import LOOPBACK
from paceline.assembly.site_link import Credentials, SiteLink
from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret, new_secret
from paceline.runtime.times import Times
from paceline.sdk import Connection, InteractionServerClient, open_socket_link
from paceline.sdk.directory import Directory
from paceline.wire.operation import ClientKind
from paceline.wire.operations.configuration import Change

NODE, CLIENT = "node", "load"
"""Applications: the node, of which two processes run, and the clients."""

QUEUE, VIEW, PROCESS = "Measured", "Measured view", "Measurement"

WAITS = b"waiting for the lease of the node"
"""What a standby's log says."""

LOOK_S = 0.05
"""How often the log is looked at (chosen)."""

STOP_S = 30.0
"""A process that has not ended by then is killed (chosen: more than any stop should take)."""


def an_object(object_type: str, name: str, **fields: Any) -> Change:
    """An object of the configuration."""
    return Change(type=object_type, name=name, body=msgspec.Raw(msgspec.json.encode(fields)))


def minimum(database_url: str, secret: Secret) -> list[Change]:
    """The objects of a site with one node, one queue and one view."""
    hidden = secret.reveal()
    node = {"application_type": "interaction_server", "connections": [{"server": "database"}]}
    queue = {"script_type": "interaction_queue", "business_process": PROCESS}
    view = {"script_type": "interaction_queue_view", "business_process": PROCESS, "queue": QUEUE}
    return [
        an_object("access-points", "database", url=database_url),
        an_object("applications", NODE, **node, secret=hidden),
        an_object("applications", CLIENT, application_type="router", secret=hidden),
        an_object("business-processes", PROCESS),
        an_object("scripts", QUEUE, **queue),
        an_object("scripts", VIEW, **view),
    ]


class FailoverSite:
    """The processes, by name, and the clients of the node; closes all of them."""

    def __init__(self, folder: Path, times: Times) -> None:
        self.processes: dict[str, Process] = {}
        self.database_url = ""
        self._folder = folder
        self._times = times
        self._secret = new_secret()
        self._port = _free_port()
        self._connections: list[Connection] = []
        self._link: SiteLink | None = None

    @classmethod
    @asynccontextmanager
    async def running(
        cls, times: Times, more: Sequence[Change] = ()
    ) -> "AsyncIterator[FailoverSite]":
        """Database and Configuration Server with the objects, and no node yet."""
        folder = Path(tempfile.mkdtemp(prefix="paceline-failover-"))
        folder.chmod(0o755)  # the database runs under an account of its own
        site = cls(folder, times)
        try:
            await site._start(more)
            yield site
        finally:
            await site._close()

    async def begin_database(self) -> None:
        """Starts the database, again after a kill."""
        await self._begin("database", "database", "--data-dir", str(self._folder / "data"))
        self.database_url = await self.line("database")

    async def begin_node(self, name: str) -> None:
        """Starts a process of the node; it prints its address when it leads."""
        await self._begin(
            name,
            "interaction",
            *("--app", NODE, "--host", LOOPBACK, "--port", str(self._port)),
            *("--password-file", str(self._folder / "secret")),
        )

    async def begin_standby(self, name: str) -> None:
        """Starts a process of the node and returns when it waits for the lease."""
        log = self._folder / f"{name}.log"
        seen = log.stat().st_size if log.exists() else 0
        await self.begin_node(name)
        while WAITS not in log.read_bytes()[seen:]:
            if self.processes[name].returncode is not None:
                raise PacelineError("start_refused", f"process {name}: {self.last_words(name)}")
            await self._times.machine.sleep(LOOK_S)

    async def line(self, name: str) -> str:
        """The next line that a process prints: its address when it works.

        Raises
        ------
        PacelineError
            `start_refused` with its last complaint when it ended instead.
        """
        output = self.processes[name].stdout
        found = (await output.readline()).decode().strip() if output is not None else ""
        if not found:
            raise PacelineError("start_refused", f"process {name}: {self.last_words(name)}")
        return found

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal to a process."""
        self.processes[name].send_signal(number)

    async def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends a process; its exit status."""
        process = self.processes.pop(name)
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()

    def connect(
        self, name: str, client_kind: ClientKind = "router", *, url: str | None = None
    ) -> tuple[Connection, InteractionServerClient]:
        """A client that finds whichever process of the node works, or keeps to the one at a URL."""
        link = self._opened_link()
        directory = Directory(link.client, self._times)  # each client asks for itself
        connection = Connection(
            directory.link_to(NODE) if url is None else partial(open_socket_link, url),
            times=self._times,
            client=name,
            client_kind=client_kind,
            token=link.token,
        )
        connection.start()
        self._connections.append(connection)
        return connection, InteractionServerClient(connection)

    async def disconnect(self, connection: Connection) -> None:
        """Closes a client before the site closes."""
        self._connections.remove(connection)
        await connection.close()

    async def node_url(self) -> str:
        """Where the node is now, as the Configuration Server says."""
        return await Directory(self._opened_link().client, self._times).url_of(NODE)

    async def leader(self) -> str | None:
        """Which process has last said that it works."""
        found = await Directory(self._opened_link().client, self._times).statuses()
        return next((n for n, p in self.processes.items() if p.pid == found[NODE].pid), None)

    def _opened_link(self) -> SiteLink:
        if self._link is None:
            raise PacelineError("shutting_down", "the site is not started")
        return self._link

    def last_words(self, name: str) -> str:
        """The last line that a process wrote to its log."""
        lines = (self._folder / f"{name}.log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    async def _start(self, more: Sequence[Change]) -> None:
        await self.begin_database()
        keys, bootstrap = self._folder / "keys", self._folder / "configuration.yaml"
        bootstrap.write_text(f"database: {self.database_url}\nfolder: {keys}\nport: {self._port}\n")
        (self._folder / "secret").write_text(self._secret.reveal())
        await self._begin("configuration", "configuration", "--config", str(bootstrap))
        url = await self.line("configuration")
        password = Secret((keys / "password").read_text().strip())
        admin = SiteLink(url, Credentials(password, ADMIN), name="setting up", times=self._times)
        try:
            await admin.open()
            changes = (*minimum(self.database_url, self._secret), *more)
            await admin.client.configuration.apply(changes=changes)
        finally:
            await admin.close()
        self._link = SiteLink(url, Credentials(self._secret), name=CLIENT, times=self._times)
        await self._link.open()

    async def _begin(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "paceline", "serve"),
                *arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def _close(self) -> None:
        for connection in self._connections:
            await connection.close()
        if self._link is not None:
            await self._link.close()
        for name in reversed(tuple(self.processes)):
            if self.processes[name].returncode is None:
                self.send(name, signal.SIGCONT)
            await self.end(name)
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    """A port that nobody listens on at this moment: the nodes must know it before it is used."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])

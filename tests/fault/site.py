"""A running demo seen from outside: its run.json, and clients that log in as its administrator."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from paceline.runtime.secret import Secret
from paceline.runtime.times import MachineTime, real_times
from paceline.sdk import Connection, InteractionServerClient, StatServerClient, open_socket_link
from paceline.sdk.login import password_token
from paceline.wire.operations.event import Event

PATIENCE_S = 60.0
POLL_S = 0.05


class RunFile(msgspec.Struct):
    """The parts of run.json that are needed here."""

    servers: dict[str, list[dict[str, str | int]]]
    user: str
    password_file: str


async def wait_ready(folder: Path, process: "subprocess.Popen[str]") -> RunFile:
    """run.json of this very process; a stale one of a killed process does not count."""
    machine = MachineTime()
    until = machine.monotonic() + PATIENCE_S
    while machine.monotonic() < until:
        assert process.poll() is None, process.communicate()[1]
        try:
            run = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunFile)
        except (FileNotFoundError, msgspec.DecodeError):
            await machine.sleep(POLL_S)
            continue
        if any(server["pid"] == process.pid for server in run.servers["interaction"]):
            return run
        await machine.sleep(POLL_S)
    raise AssertionError("run.json did not appear")


class SiteClients:
    """Clients of one run."""

    def __init__(self, run: RunFile) -> None:
        times = real_times()
        password = Secret(Path(run.password_file).read_text().strip())
        configuration = str(run.servers["configuration"][0]["url"])
        keeper = password_token(
            lambda: open_socket_link(configuration), times=times, user=run.user, password=password
        )

        def connect(kind: str) -> Connection:
            url = str(run.servers[kind][0]["url"])
            connection = Connection(
                lambda: open_socket_link(url),
                times=times,
                client="fault test",
                client_kind="operator",
                token=keeper,
            )
            connection.start()
            return connection

        self._connections = [connect("interaction"), connect("stat")]
        self.interaction = InteractionServerClient(self._connections[0])
        self.stat = StatServerClient(self._connections[1])

    async def close(self) -> None:
        """Closes all connections."""
        for connection in self._connections:
            await connection.close()


@asynccontextmanager
async def clients_of(run: RunFile) -> AsyncIterator[SiteClients]:
    """Connected clients, closed at the end."""
    clients = SiteClients(run)
    try:
        await asyncio.gather(*(c.wait_connected() for c in clients._connections))
        yield clients
    finally:
        await clients.close()


async def open_interactions(client: InteractionServerClient) -> set[str]:
    """Ids of everything that is in the system."""
    found: set[str] = set()
    continuation: str | None = None
    while True:
        page = await client.interaction.find(limit=500, continuation=continuation, timeout_s=10)
        found |= {item.interaction_id for item in page.interactions}
        continuation = page.continuation
        if continuation is None:
            return found


async def whole_log(client: InteractionServerClient) -> list[Event]:
    """Every event of the log, in order."""
    log: list[Event] = []
    while True:
        page = await client.event.read(
            after=log[-1].position if log else None, limit=1000, timeout_s=10
        )
        log += page.items
        if page.complete:
            return log

"""The measured server as a child process, and clients connected to it."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil

from paceline.runtime.times import Times
from paceline.sdk.connection import Connection
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.storage.settling import break_in, settle
from paceline.wire.client.websocket import open_socket_link

CONNECTIONS = 4
"""Sessions that share the requests in flight (chosen: a few busy clients, as proxies and routers are)."""


class Load:
    """A running server and its clients; closes both."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._connections: list[Connection] = []
        self.clients: list[InteractionServerClient] = []
        self.database_url = ""

    @classmethod
    @asynccontextmanager
    async def running(cls, times: Times) -> AsyncIterator["Load"]:
        """A started load, closed at the end whatever happens."""
        load = await cls.start(times)
        try:
            yield load
        finally:
            await load.close()

    @classmethod
    async def start(cls, times: Times) -> "Load":
        """Starts server and database in a folder of their own and connects."""
        folder = Path(tempfile.mkdtemp(prefix="paceline-bench-"))
        folder.chmod(0o755)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "paceline.bench.node_process",
            str(folder),
            stdout=asyncio.subprocess.PIPE,
        )
        load = cls(process, folder)
        line = await process.stdout.readline() if process.stdout is not None else b""
        if not line:
            await load.close()
            raise RuntimeError("the measured server did not start; see its messages above")
        ready = msgspec.json.decode(line)
        load.database_url = ready["database"]
        database = open_database(from_url(load.database_url), times=times, pool_size=1)
        await break_in(database)
        await database.close()

        async def token() -> str:
            return str(ready["token"])

        for number in range(CONNECTIONS):
            connection = Connection(
                lambda: open_socket_link(ready["url"]),
                times=times,
                client=f"load {number}",
                client_kind="router",
                token=token,
            )
            connection.start()
            await connection.wait_connected()
            load._connections.append(connection)
            load.clients.append(InteractionServerClient(connection))
        return load

    def server_memory_mb(self) -> float:
        """Resident memory of the server process, without PostgreSQL."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6

    async def settle(self, times: Times) -> None:
        """Lets PostgreSQL finish what filling left to do."""
        database = open_database(from_url(self.database_url), times=times, pool_size=1)
        await settle(database)
        await database.close()

    async def close(self) -> None:
        """Stops everything and removes the folder."""
        for connection in self._connections:
            await connection.close()
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

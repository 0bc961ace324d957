"""What a server process touches outside itself: network and databases, as one value passed down.

`REAL_SURROUNDINGS` is the default everywhere; the simulator gives each simulated process its own.
Whoever opens something else than through this value cannot be simulated.
"""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx
from argon2 import PasswordHasher

from paceline.runtime.times import MachineTime, Times
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.wire.client.websocket import open_socket_link
from paceline.wire.link import Link
from paceline.wire.server.application import build_application, load_libraries
from paceline.wire.server.listen import BACKLOG, Listener, bind
from paceline.wire.server.surface import Surface

_EVERYWHERE = ("0.0.0.0", "::")


class Address(Protocol):
    """A bound address that may be served until it is closed."""

    @property
    def url(self) -> str:
        """How others reach it."""
        ...

    def expect(self) -> None:
        """Let callers who connect before `serve` wait for it, where they would be refused."""
        ...

    async def serve(self, surface: Surface) -> None:
        """Answer requests from now on."""
        ...

    async def close(self) -> None:
        """Take no more requests; twice, or before `serve`, is fine."""
        ...


class OpenDatabase(Protocol):
    """Opens a database; see storage/opening.py."""

    def __call__(self, point: AccessPoint, /, *, times: Times, pool_size: int) -> Database: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The outside of one process.

    `listen` binds at once, so that a port in use is told before all else. `store_clock` judges
    leases on engines without a clock of their own (SQLite); None takes the process's.
    `http_transport` is for the engagement engine's HTTP; None takes the network. `password_hasher`
    is for simulations, which have no time for the full cost; None takes that.
    """

    open_link: Callable[[str], Awaitable[Link]]
    listen: Callable[[str, int], Address]
    open_database: OpenDatabase
    http_transport: Callable[[], httpx.AsyncBaseTransport | None]
    store_clock: MachineTime | None = None
    password_hasher: PasswordHasher | None = None


class BoundSocket:
    """An address of this machine, served by a web server that is ready to be."""

    def __init__(self, host: str, port: int) -> None:
        self._socket: socket.socket = bind(host, port)
        load_libraries()
        bound_host, bound_port = self._socket.getsockname()[:2]
        self._listener: Listener | None = None
        shown = socket.gethostname() if bound_host in _EVERYWHERE else bound_host
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{bound_port}"

    def expect(self) -> None:
        """See `Address`."""
        self._socket.listen(BACKLOG)

    async def serve(self, surface: Surface) -> None:
        """See `Address`."""
        application = build_application(surface)
        self._listener = Listener(application, self._socket, surface.times.machine)
        await self._listener.start()

    async def close(self) -> None:
        """See `Address`."""
        if self._listener is not None:
            await self._listener.stop()
        self._socket.close()


REAL_SURROUNDINGS = Surroundings(
    open_link=open_socket_link,
    listen=BoundSocket,
    open_database=open_database,
    http_transport=lambda: None,
)

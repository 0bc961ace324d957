"""Listening: one uvicorn server per application, several in one loop, signals left to the process."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from ssl import SSLContext
from typing import Any

import uvicorn

from paceline.errors.failure import PacelineError
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.wire.frames import MAX_FRAME_BYTES

BACKLOG = 2048
"""Connections that wait to be taken (uvicorn's default)."""
LOOK_S = 0.005
"""How often a start or a stop looks whether it is done (chosen)."""

GRACEFUL_S = 3
"""Seconds that open requests may take at a stop (chosen; the process's own stop is 90 s at most)."""


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone, so that several share one process, and stops at once.

    uvicorn's own stop takes 0.1 to 0.3 s of sleep, for which a node's hand-over would wait.
    """

    def __init__(self, config: uvicorn.Config, machine: MachineTime) -> None:
        super().__init__(config)
        self._machine = machine
        self._told_to_stop = asyncio.Event()

    def stop(self) -> None:
        """Ends `main_loop`, or the start if it is under way."""
        self.should_exit = True
        self._told_to_stop.set()

    async def main_loop(self) -> None:
        """Waits to be told."""
        await self.on_tick(0)
        await self._told_to_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections and ends those that are open; requests may finish meanwhile."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        give_up_at = self._machine.monotonic() + GRACEFUL_S
        while self.server_state.connections or self.server_state.tasks:
            if self._machine.monotonic() > give_up_at:
                for task in self.server_state.tasks:
                    task.cancel()
                return
            await self._machine.sleep(LOOK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process (runtime/signals)."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    Raises
    ------
    PacelineError
        `start_refused` naming the port and the fix when it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PacelineError(
            "start_refused",
            f"cannot listen on {host}:{port}: {error.strerror}; free the port or choose another one",
            field="port",
        ) from None
    return listener


class Listener(LifeCycle):
    """Serves an ASGI application on a bound socket until stopped."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        machine: MachineTime,
        *,
        tls: SSLContext | None = None,
    ) -> None:
        super().__init__()
        self._socket = listener
        self._machine = machine
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            backlog=BACKLOG,
            server_header=False,
            date_header=False,
        )
        if tls is not None:
            config.ssl_context_factory = lambda _config, _default: tls
        self._server = _Server(config, machine)
        self._tasks = TaskGroup(f"listener {self.address}", self.set_unavailable)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def _start(self) -> None:
        self._tasks.start("serve", self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await self._machine.sleep(LOOK_S)

    async def _stop(self) -> None:
        self._server.stop()
        while len(self._tasks):
            await self._machine.sleep(LOOK_S)
        await self._tasks.aclose()
        self._socket.close()

"""A server's face: its operations on a socket, with the five that every server answers.

Made by the hosts of this room around a started server; binds before anything else is opened, so
that a port in use is told at once.
"""

import socket
from collections.abc import Callable, Sequence

from paceline.model.options import Finding
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.times import Times
from paceline.wire.call import Handlers, Principal
from paceline.wire.open_route import OpenRoute
from paceline.wire.server.application import build_application
from paceline.wire.server.listen import Listener, bind
from paceline.wire.server.self_report import self_report_handlers
from paceline.wire.server.surface import Surface

LOOPBACK = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "::")


class Face:
    """A bound address, open from `open` until `close`."""

    def __init__(self, host: str, port: int) -> None:
        self._socket: socket.socket = bind(host, port)
        bound_host, bound_port = self._socket.getsockname()[:2]
        self._listener: Listener | None = None
        shown = socket.gethostname() if bound_host in _EVERYWHERE else bound_host
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{bound_port}"

    async def open(
        self,
        server: LifeCycle,
        *,
        kind: str,
        name: str,
        handlers: Handlers,
        verify: Callable[[str], Principal],
        findings: Callable[[], tuple[Finding, ...]],
        times: Times,
        metrics: Metrics,
        open_routes: Sequence[OpenRoute] = (),
    ) -> None:
        """Answer requests from now on."""
        report = self_report_handlers(server, name, kind, times, findings)
        surface = Surface(
            kind=kind,
            name=name,
            handlers=handlers | report,
            verify=verify,
            times=times,
            metrics=metrics,
            open_routes=open_routes,
        )
        self._listener = Listener(build_application(surface), self._socket, times.machine)
        await self._listener.start()

    async def close(self) -> None:
        """Take no more requests; twice, or before `open`, is fine."""
        if self._listener is not None:
            await self._listener.stop()
        self._socket.close()

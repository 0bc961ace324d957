"""A server's face: its operations on an address, with the five that every server answers.

Made by the hosts of this room around a started server; binds before anything else is opened, so
that a port in use is told at once.
"""

from collections.abc import Callable, Sequence

from paceline.assembly.surroundings import Surroundings
from paceline.model.options import Finding
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.times import Times
from paceline.wire.call import Handlers, Peer, Principal
from paceline.wire.open_route import OpenRoute
from paceline.wire.server.self_report import self_report_handlers
from paceline.wire.server.surface import Surface, ignored

LOOPBACK = "127.0.0.1"


class Face:
    """A bound address, open from `open` until `close`."""

    def __init__(self, host: str, port: int, surroundings: Surroundings) -> None:
        self._address = surroundings.listen(host, port)
        self.url = self._address.url

    def expect(self) -> None:
        """From now on callers wait until `open`: the server is starting and its address known."""
        self._address.expect()

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
        on_session: Callable[[Peer], None] = ignored,
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
            on_session=on_session,
        )
        await self._address.serve(surface)

    async def close(self) -> None:
        """Take no more requests; twice, or before `open`, is fine."""
        await self._address.close()

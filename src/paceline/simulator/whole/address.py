"""An address of a simulated process: sessions over simulated links, and the real HTTP edge in memory.

Bound by network.py for a process's surroundings; see `assembly.surroundings.Address`. Everything it
starts runs in its process.
"""

import asyncio
from collections.abc import Callable

import httpx

from paceline.runtime.tasks import TaskGroup
from paceline.simulator.whole.process import SimulatedProcess
from paceline.wire.link import Link
from paceline.wire.server.application import build_application
from paceline.wire.server.listen import GRACEFUL_S
from paceline.wire.server.session import ServerSession
from paceline.wire.server.surface import Surface

CLIENT_PORT = 40_000
"""The port that HTTP callers seem to come from; nobody looks at it."""
LOOK_S = 0.01
"""How often a stop looks whether the sessions have ended, as wire/server/listen.py does."""


class SimulatedAddress:
    """Made when a server binds; answers between `serve` and `close`."""

    def __init__(self, url: str, process: SimulatedProcess, on_close: Callable[[], None]) -> None:
        self.url = url
        self.process = process
        self._on_close = on_close
        self._surface: Surface | None = None
        self._web: httpx.ASGITransport | None = None
        self._links: dict[Link, None] = {}
        self._tasks = TaskGroup(f"address {url}", _complain)

    @property
    def is_served(self) -> bool:
        """Whether connections are taken."""
        return self._surface is not None

    def expect(self) -> None:
        """Changes nothing: callers are refused until `serve`, as a moment earlier."""

    async def serve(self, surface: Surface) -> None:
        """Answer requests from now on."""
        self._surface = surface

    async def close(self) -> None:
        """End all sessions and take no more; twice, or before `serve`, is fine."""
        surface, self._surface = self._surface, None
        self._on_close()
        for link in tuple(self._links):
            await link.close()
        if surface is not None:
            machine = surface.times.machine
            give_up_at = machine.monotonic() + GRACEFUL_S
            while len(self._tasks) and machine.monotonic() < give_up_at:
                await machine.sleep(LOOK_S)
        await self._tasks.aclose()

    def accept(self, link: Link) -> bool:
        """Begin a session on a link; False when it is closed meanwhile."""
        if self._surface is None:
            return False
        self._links[link] = None
        self._tasks.start("session", self._run(self._surface, link))
        return True

    def answer(self, request: httpx.Request) -> asyncio.Task[httpx.Response]:
        """Answer an HTTP request through the server's web application."""
        return self._tasks.answering(f"{request.method} {request.url.path}", self._answer(request))

    async def _run(self, surface: Surface, link: Link) -> None:
        try:
            await ServerSession(surface, link).run()
        finally:
            self._links.pop(link, None)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._surface is None:
            raise httpx.ReadError("the server has closed the connection")
        if self._web is None:  # made when first needed: most servers here are never asked by HTTP
            application = build_application(self._surface)
            self._web = httpx.ASGITransport(
                application,  # type: ignore[arg-type]  # ASGI, in narrower words
                client=("client", CLIENT_PORT),
            )
        answer = await self._web.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


def _complain(reason: str) -> None:
    raise AssertionError(f"a session never fails, but: {reason}")

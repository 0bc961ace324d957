"""An Interaction Server on a socket in a thread of its own, for clients that know nothing of our loop."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from paceline.model.configuration import ADMINISTRATOR
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.wire.call import Principal
from paceline.wire.server.application import build_application
from paceline.wire.server.listen import Listener, bind
from paceline.wire.server.self_report import self_report_handlers
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node

T = TypeVar("T")
WHO = Principal(name="fuzz", kind="application", tenants=(), access_groups=(ADMINISTRATOR,))
"""May act for any tenant, so that the tenant is tried too."""


class Running:
    """A server that takes any token, and the loop it runs in."""

    def __init__(self, address: str, node: Node) -> None:
        self.address = address
        self.node = node
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs work in the server's loop; called from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def end(self) -> None:
        """Stops the server; called from another thread."""
        self._loop.call_soon_threadsafe(self.ended.set)


@contextmanager
def running_server(url: str = "sqlite://") -> Iterator[Running]:
    """A server on an empty database, with the configuration of a small site."""
    started = threading.Event()
    found: list[Running] = []

    async def serve() -> None:
        times = real_times()
        database = open_database(from_url(url), times=times)
        async with running_node(times, database=database) as node:
            server = node.server
            report = self_report_handlers(server, "fuzz", "interaction", times, server.findings)
            served = Served("interaction", server.handlers | report, times, principal=WHO)
            application = build_application(served.surface)
            listener = Listener(application, bind("127.0.0.1", 0), times.machine)
            await listener.start()
            host, port = listener.address
            node.served = served
            running = Running(f"http://{host}:{port}", node)
            found.append(running)
            started.set()
            await running.ended.wait()
            await listener.stop()
            await served.close()
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    if not started.wait(60):
        raise AssertionError("the server did not start")
    yield found[0]
    found[0].end()
    thread.join(60)

"""A server's handlers behind the real session code, reached over memory links: no socket, no thread."""

from collections.abc import Callable, Sequence

from paceline.runtime.metrics import Metrics
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.connection import Connection
from paceline.wire.call import Handlers, Peer, Principal
from paceline.wire.link import Link, MemoryLink
from paceline.wire.open_route import OpenRoute
from paceline.wire.operation import ClientKind
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.session import ServerSession
from paceline.wire.server.surface import Surface, ignored


async def _not_served(call: object, request: object) -> object:
    raise AssertionError("this operation is not part of the test")


class Served:
    """One server's face for tests; whoever connects is an administrator unless `principal` says else."""

    def __init__(
        self,
        kind: str,
        handlers: Handlers,
        times: Times,
        *,
        principal: Principal | None = None,
        verify: Callable[[str], Principal] | None = None,
        open_routes: Sequence[OpenRoute] = (),
        on_session: Callable[[Peer], None] = ignored,
    ) -> None:
        self.times = times
        who = principal or Principal(
            name="tester", kind="application", access_groups=("administrator",)
        )
        all_handlers = dict.fromkeys(OPERATIONS_OF[kind], _not_served) | handlers
        self.surface = Surface(
            kind=kind,
            name=f"{kind} under test",
            handlers=all_handlers,
            verify=verify or (lambda token: who),
            times=times,
            metrics=Metrics(kind),
            open_routes=open_routes,
            on_session=on_session,
        )
        self._tasks = TaskGroup(f"served {kind}", self._fail)
        self._connections: list[Connection] = []
        self.links: list[MemoryLink] = []

    async def link(self) -> Link:
        """A new memory link with a session at its other end."""
        near, far = MemoryLink.pair()
        self.links.append(near)
        self._tasks.start("session", ServerSession(self.surface, far).run())
        return near

    async def connect(
        self, client: str, client_kind: ClientKind = "operator", **extension: int | str
    ) -> Connection:
        """An open connection for an SDK client."""

        async def token() -> str:
            return "any"

        connection = Connection(
            self.link,
            times=self.times,
            client=client,
            client_kind=client_kind,
            token=token,
            extension=extension,
        )
        connection.start()
        await connection.wait_connected()
        self._connections.append(connection)
        return connection

    async def close(self) -> None:
        """Closes all connections and sessions."""
        for connection in self._connections:
            await connection.close()
        await self._tasks.aclose()

    def _fail(self, reason: str) -> None:
        raise AssertionError(reason)

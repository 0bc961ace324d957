"""Typed client of the router server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable

from paceline.sdk.connection import Connection
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.router import ListRequest, StrategyPage, VirtualQueuePage

_OPERATIONS = OPERATIONS_OF["router"]


class _Server:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def status(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Status]:
        """Status and mode of this server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.status"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def ping(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Pong]:
        """Answered at once, with the state of each node behind the server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.ping"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def findings(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Findings]:
        """Configuration mistakes and obstacles: object, field, consequence, fix."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.findings"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Strategy:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StrategyPage]:
        """Loaded strategies."""
        request = ListRequest(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["strategy.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _VirtualQueue:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[VirtualQueuePage]:
        """Virtual queues with what waits in them."""
        request = ListRequest(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["virtual_queue.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class RouterClient:
    """Every operation of the router server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.strategy = _Strategy(connection)
        self.virtual_queue = _VirtualQueue(connection)

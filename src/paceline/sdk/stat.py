"""Typed client of the stat server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable, Callable

from paceline.sdk.connection import Connection, Subscription
from paceline.wire.operation import Done
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.statistic import (
    OpenedMany,
    OpenStatistic,
    OpenStatistics,
    Peek,
    Peeked,
    StatisticChanges,
    StatisticRef,
    StatisticsSubscribed,
    StatisticValue,
    StreamPosition,
    StreamStatistics,
)

_OPERATIONS = OPERATIONS_OF["stat"]


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


class _Statistic:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        *,
        items: tuple[OpenStatistic, ...],
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[OpenedMany]:
        """Opens statistics; the same definition gives the same id."""
        request = OpenStatistics(items=items)
        return self._connection.call(
            _OPERATIONS["statistic.open"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def get(
        self, *, id: int, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[StatisticValue]:
        """The value of one statistic."""
        request = StatisticRef(id=id)
        return self._connection.call(
            _OPERATIONS["statistic.get"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def peek(
        self,
        *,
        ids: tuple[int, ...],
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Peeked]:
        """Values of many statistics at one position."""
        request = Peek(ids=ids)
        return self._connection.call(
            _OPERATIONS["statistic.peek"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def close(
        self, *, id: int, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Done]:
        """Closes a statistic."""
        request = StatisticRef(id=id)
        return self._connection.call(
            _OPERATIONS["statistic.close"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], StreamStatistics],
        on_notice: Callable[[StatisticChanges], None],
        on_open: Callable[[StatisticsSubscribed], None] | None = None,
    ) -> Subscription[StatisticChanges]:
        """Changes of ChangesBased statistics."""
        return self._connection.subscribe(
            _OPERATIONS["statistic.stream"], make_request, on_notice, on_open
        )


class _Stat:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def position(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[StreamPosition]:
        """How far the reporting streams are taken, and how many events were counted."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["stat.position"], request, timeout_s=timeout_s, key=idempotency_key
        )


class StatServerClient:
    """Every operation of the stat server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.statistic = _Statistic(connection)
        self.stat = _Stat(connection)

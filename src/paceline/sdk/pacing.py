"""Typed client of the pacing server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable, Callable

from paceline.sdk.connection import Connection, Subscription
from paceline.wire.operation import Done
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.pacing import (
    Cluster,
    Everything,
    History,
    StreamTargets,
    TargetDetail,
    TargetList,
    TargetPage,
    TargetRef,
    TargetsNotice,
    TargetsSubscribed,
)

_OPERATIONS = OPERATIONS_OF["pacing"]


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


class _Target:
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
    ) -> Awaitable[TargetPage]:
        """All targets with permits and reasons."""
        request = TargetList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["target.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def get(
        self,
        *,
        name: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[TargetDetail]:
        """One target: inputs, permits, reason, forecast."""
        request = TargetRef(name=name, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["target.get"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def history(
        self,
        *,
        name: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[History]:
        """The target's last cycles."""
        request = TargetRef(name=name, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["target.history"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def stop(
        self,
        *,
        name: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """No permits for this target until it is resumed."""
        request = TargetRef(name=name, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["target.stop"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def resume(
        self,
        *,
        name: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Permits for this target again."""
        request = TargetRef(name=name, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["target.resume"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], StreamTargets],
        on_notice: Callable[[TargetsNotice], None],
        on_open: Callable[[TargetsSubscribed], None] | None = None,
    ) -> Subscription[TargetsNotice]:
        """A window of targets, then its changes."""
        return self._connection.subscribe(
            _OPERATIONS["target.stream"], make_request, on_notice, on_open
        )


class _Pacing:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stop(
        self,
        *,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """No permits for any target until resumed."""
        request = Everything(tenant=tenant)
        return self._connection.call(
            _OPERATIONS["pacing.stop"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def resume(
        self,
        *,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Permits again."""
        request = Everything(tenant=tenant)
        return self._connection.call(
            _OPERATIONS["pacing.resume"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Cluster:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(
        self,
        *,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Cluster]:
        """Master, epoch, sequence."""
        request = Everything(tenant=tenant)
        return self._connection.call(
            _OPERATIONS["cluster.get"], request, timeout_s=timeout_s, key=idempotency_key
        )


class PacingServerClient:
    """Every operation of the pacing server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.target = _Target(connection)
        self.pacing = _Pacing(connection)
        self.cluster = _Cluster(connection)

"""Typed client of the message server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable
from typing import Literal

from paceline.sdk.connection import Connection
from paceline.wire.operation import Done
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.message import (
    AlarmPage,
    AlarmRef,
    ListAlarms,
    ListMessages,
    Logged,
    LogMessage,
    MessagePage,
)

_OPERATIONS = OPERATIONS_OF["message"]


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


class _Message:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def log(
        self,
        *,
        application: str,
        number: int,
        text: str,
        level: Literal["standard", "interaction", "trace", "debug", "alarm"] = "standard",
        subject: str = "",
        attributes: dict[str, str] = {},
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Logged]:
        """Stores a log record and matches it with the alarm conditions."""
        request = LogMessage(
            application=application,
            number=number,
            text=text,
            level=level,
            subject=subject,
            attributes=attributes,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["message.log"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        number: int | None = None,
        application: str | None = None,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[MessagePage]:
        """Log records, newest first."""
        request = ListMessages(
            number=number,
            application=application,
            limit=limit,
            continuation=continuation,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["message.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Alarm:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        all: bool = False,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AlarmPage]:
        """Active alarms."""
        request = ListAlarms(all=all, limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["alarm.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def clear(
        self,
        *,
        id: int,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Clears an alarm by hand."""
        request = AlarmRef(id=id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["alarm.clear"], request, timeout_s=timeout_s, key=idempotency_key
        )


class MessageServerClient:
    """Every operation of the message server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.message = _Message(connection)
        self.alarm = _Alarm(connection)

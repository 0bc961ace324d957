"""Typed client of the engagement server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable

from msgspec import Raw

from paceline.sdk.connection import Connection
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.engagement import (
    AcceptInvitation,
    CreateInvitation,
    EngagementTargetList,
    EngagementTargetPage,
    InvitationCreated,
    InvitationRef,
    InvitationState,
    Permit,
    Report,
    ReportAnswer,
)
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status

_OPERATIONS = OPERATIONS_OF["engagement"]


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


class _Pacing:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def report(
        self,
        *,
        cluster: str,
        node: str,
        epoch: int,
        sequence: int,
        period_s: float,
        sent_at: str,
        valid_for_s: float,
        targets: tuple[Permit, ...],
        page: int = 1,
        pages: int = 1,
        base_sequence: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ReportAnswer]:
        """Permits from the pacing service; the answer carries pending invitations."""
        request = Report(
            cluster=cluster,
            node=node,
            epoch=epoch,
            sequence=sequence,
            period_s=period_s,
            sent_at=sent_at,
            valid_for_s=valid_for_s,
            targets=targets,
            page=page,
            pages=pages,
            base_sequence=base_sequence,
        )
        return self._connection.call(
            _OPERATIONS["pacing.report"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Invitation:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        *,
        target: str,
        visitor: str,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[InvitationCreated]:
        """Offers an invitation to a visitor; 409 no_permit when the target has none."""
        request = CreateInvitation(target=target, visitor=visitor)
        return self._connection.call(
            _OPERATIONS["invitation.create"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def accept(
        self,
        *,
        invitation_id: str,
        user_data: Raw = Raw(b"{}"),
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[InvitationState]:
        """The visitor accepts; the engine submits the interaction once."""
        request = AcceptInvitation(invitation_id=invitation_id, user_data=user_data)
        return self._connection.call(
            _OPERATIONS["invitation.accept"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def reject(
        self,
        *,
        invitation_id: str,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[InvitationState]:
        """The visitor declines."""
        request = InvitationRef(invitation_id=invitation_id)
        return self._connection.call(
            _OPERATIONS["invitation.reject"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def get(
        self,
        *,
        invitation_id: str,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[InvitationState]:
        """State of an invitation."""
        request = InvitationRef(invitation_id=invitation_id)
        return self._connection.call(
            _OPERATIONS["invitation.get"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _EngagementTarget:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        limit: int = 1000,
        continuation: str | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[EngagementTargetPage]:
        """Targets with living permits and counts."""
        request = EngagementTargetList(limit=limit, continuation=continuation)
        return self._connection.call(
            _OPERATIONS["engagement_target.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class EngagementEngineClient:
    """Every operation of the engagement server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.pacing = _Pacing(connection)
        self.invitation = _Invitation(connection)
        self.engagement_target = _EngagementTarget(connection)

"""The list of client sessions connected to this node, for those who operate it."""

import asyncio

from paceline.model.instant import to_text
from paceline.servers.interaction.live.client_sessions import ClientSession, ClientSessions
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.client_session import (
    SessionAgent,
    SessionList,
    SessionPage,
    SessionRow,
)
from paceline.wire.page import page_after


class SessionListRequests:
    """Handler of session.list."""

    def __init__(self, lane: NodeLane, sessions: ClientSessions) -> None:
        self._lane = lane
        self._sessions = sessions

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"session.list": self.sessions}

    def sessions(self, call: Call, request: SessionList) -> "asyncio.Future[SessionPage]":
        """Sessions of a tenant, page by page; read in the lane's turn, as all that agents are."""
        tenant = call.tenant_of(request.tenant)

        def apply(node: NodeState) -> SessionPage:
            page, continuation = page_after(
                self._sessions.of(tenant), request.continuation, request.limit, _position
            )
            return SessionPage(
                items=tuple(self._row(node, session) for session in page),
                continuation=continuation,
                complete=continuation is None,
            )

        return self._lane.submit(call, Work(apply))

    def _row(self, node: NodeState, session: ClientSession) -> SessionRow:
        peer = session.peer
        principal = peer.principal
        is_application = principal.kind == "application"
        return SessionRow(
            session_id=peer.session_id,
            client=peer.client,
            client_kind=peer.client_kind,
            application=principal.name if is_application else None,
            user=None if is_application else principal.name,
            tenant=peer.tenant,
            since=to_text(session.since),
            idle_s=round(self._sessions.idle_s(session), 3),
            agents=tuple(
                SessionAgent(agent=agent.name, place=node.names.get(agent.place_id or 0))
                for key in node.links.agents_of(peer.session_id)
                if (agent := node.agents.get(key)) is not None
            ),
        )


def _position(session: ClientSession) -> str:
    return f"{session.since:015d} {session.peer.session_id}"

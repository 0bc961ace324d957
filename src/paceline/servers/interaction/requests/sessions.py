"""Router sessions: who pulled over which session, and what goes back to its queue when one is lost."""

from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace, return_to_queue
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.wire.call import Call

LOST = "router session lost"


class RouterSessions:
    """The sessions that hold interactions; each is watched from its first pull on."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane

    def of(self, call: Call) -> str | None:
        """The caller's session, watched from now; None over plain HTTP."""
        peer = call.peer
        if peer is None:
            return None
        session = peer.session_id
        node = self._lane.node
        if session not in node.routers:
            node.routers[session] = peer
            peer.on_close(lambda: self._lost(session))
        return session

    def _lost(self, session: str) -> None:
        self._lane.node.routers.pop(session, None)
        keys = tuple(self._lane.node.held.get(session, ()))
        if keys:
            self._lane.submit_own(returned(keys, session))


def returned(keys: tuple[tuple[int, str], ...], session: str) -> Work:
    """Work that returns what a lost session held; what rings keeps ringing, without a router."""

    def apply(node: NodeState) -> None:
        for key in keys:
            if node.finished(key) is not None:
                continue
            row = node.row(key)
            if row.router_session != session:
                continue
            if row.ticket:
                node.put(row, replace(row, router_session=None, version=row.version + 1))
            else:
                return_to_queue(node, row, "server", LOST)

    return Work(apply, keys=keys)

"""Which client sessions speak for which agent, and when each agent last asked for anything. Memory only.

The node (node.py) changes it with the batch in work and takes it back when the batch fails.
"""

from paceline.model.agent import AgentKey
from paceline.wire.call import Peer


class AgentLinks:
    """Client sessions by agent and agents by client session; several of each are fine."""

    def __init__(self) -> None:
        self._peers: dict[AgentKey, dict[str, Peer]] = {}
        self._agents: dict[str, set[AgentKey]] = {}
        self._watched: set[str] = set()
        self._active_at: dict[AgentKey, int] = {}
        self._losses: dict[AgentKey, int] = {}

    def attach(self, key: AgentKey, peer: Peer) -> bool:
        """Adds a session to an agent; False when it was attached already."""
        peers = self._peers.setdefault(key, {})
        if peer.session_id in peers:
            return False
        peers[peer.session_id] = peer
        self._agents.setdefault(peer.session_id, set()).add(key)
        return True

    def detach(self, key: AgentKey, session_id: str) -> bool:
        """Removes a session from an agent; True when it was the agent's last one."""
        peers = self._peers.get(key, {})
        removed = peers.pop(session_id, None)
        if not peers:
            self._peers.pop(key, None)
        if removed is not None:
            agents = self._agents[session_id]
            agents.discard(key)
            if not agents:
                del self._agents[session_id]
        return removed is not None and not peers

    def watch(self, session_id: str) -> bool:
        """Notes that the session's end is awaited; False when it was noted before."""
        if session_id in self._watched:
            return False
        self._watched.add(session_id)
        return True

    def is_watched(self, session_id: str) -> bool:
        """Whether the session lives, as far as `close` was not told otherwise."""
        return session_id in self._watched

    def close(self, session_id: str) -> list[AgentKey]:
        """The session has ended: the agents whose last one it was, each with a loss more."""
        self._watched.discard(session_id)
        agents = sorted(self._agents.get(session_id, ()))
        alone = [key for key in agents if self.detach(key, session_id)]
        for key in alone:
            self._losses[key] = self.losses(key) + 1
        return alone

    def losses(self, key: AgentKey) -> int:
        """How often the agent lost the last session."""
        return self._losses.get(key, 0)

    def is_attached(self, key: AgentKey) -> bool:
        """Whether any session speaks for the agent."""
        return bool(self._peers.get(key))

    def peers(self, key: AgentKey) -> tuple[Peer, ...]:
        """The sessions that get the agent's notices."""
        return tuple(self._peers.get(key, {}).values())

    def agents_of(self, session_id: str) -> list[AgentKey]:
        """The agents for whom a session speaks."""
        return sorted(self._agents.get(session_id, ()))

    def active(self, key: AgentKey, now: int) -> None:
        """A request of the agent arrived."""
        self._active_at[key] = now

    def forget_activity(self, key: AgentKey) -> None:
        """The agent's session is over."""
        self._active_at.pop(key, None)

    def active_at(self, key: AgentKey) -> int:
        """Business instant of the agent's last own request that this process saw; 0 = none."""
        return self._active_at.get(key, 0)

    def own_request_at(self, key: AgentKey) -> float | None:
        """Monotonic time of the last request on a session that speaks for this agent alone."""
        return max(
            (
                peer.last_request_at
                for session_id, peer in self._peers.get(key, {}).items()
                if len(self._agents[session_id]) == 1
            ),
            default=None,
        )

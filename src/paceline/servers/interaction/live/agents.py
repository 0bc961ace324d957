"""Which client sessions speak for which agent; a lost last one starts the grace. Memory only."""

from paceline.wire.call import Peer


class AgentLinks:
    """Which client sessions speak for which agent; a lost last one starts the grace."""

    def __init__(self) -> None:
        self._peers: dict[tuple[int, int], dict[str, Peer]] = {}

    def attach(self, key: tuple[int, int], peer: Peer) -> bool:
        """Adds a session; False when it was attached already."""
        peers = self._peers.setdefault(key, {})
        if peer.session_id in peers:
            return False
        peers[peer.session_id] = peer
        return True

    def detach(self, key: tuple[int, int], session_id: str) -> bool:
        """Removes a session; True when it was the agent's last one."""
        peers = self._peers.get(key, {})
        removed = peers.pop(session_id, None)
        if not peers:
            self._peers.pop(key, None)
        return removed is not None and not peers

    def is_attached(self, key: tuple[int, int]) -> bool:
        """Whether any session speaks for the agent."""
        return bool(self._peers.get(key))

    def peers(self, key: tuple[int, int]) -> tuple[Peer, ...]:
        """The sessions that get the agent's notices."""
        return tuple(self._peers.get(key, {}).values())

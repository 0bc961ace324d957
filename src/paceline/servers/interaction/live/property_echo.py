"""The media servers that asked in their hello to be told of changes to what they submitted.

The documented extension of the registration; memory only, each session asks anew.
"""

from paceline.model.interaction import Row
from paceline.wire.call import Peer

EXTENSION = "event_properties_changed"
"""Documented: other than 0 asks for the echo."""


class PropertyEcho:
    """Sessions by who submits through them, as rows say it (`submitted_by`)."""

    def __init__(self) -> None:
        self._peers: dict[str, dict[str, Peer]] = {}

    def began(self, peer: Peer) -> None:
        """A session that may have asked."""
        if peer.client_kind != "media_server" or str(peer.extension.get(EXTENSION, 0)) == "0":
            return
        name = f"{peer.client_kind}:{peer.client}"
        self._peers.setdefault(name, {})[peer.session_id] = peer
        peer.on_close(lambda: self._ended(name, peer.session_id))

    def _ended(self, name: str, session_id: str) -> None:
        peers = self._peers[name]
        del peers[session_id]
        if not peers:
            del self._peers[name]

    def of(self, row: Row, actor: str) -> list[Peer]:
        """Who is told of a change by `actor`: the submitter, when another one changed it."""
        if actor == row.submitted_by:
            return []
        peers = self._peers.get(row.submitted_by, {}).values()
        return [p for p in peers if not p.principal.tenants or row.tenant_id in p.principal.tenants]

"""The client sessions connected to this process, whatever they are for. Memory only.

Told by the server's face of each that begins; read by requests/session_list.py.
"""

from typing import NamedTuple

from paceline.runtime.times import MachineTime
from paceline.wire.call import Peer


class ClientSession(NamedTuple):
    """One that is connected, since a machine instant."""

    since: int
    peer: Peer


class ClientSessions:
    """Sessions by id."""

    def __init__(self, machine: MachineTime) -> None:
        self._machine = machine
        self._all: dict[str, ClientSession] = {}

    def began(self, peer: Peer) -> None:
        """A session that began just now; it is forgotten with its end."""
        self._all[peer.session_id] = ClientSession(self._machine.now(), peer)
        peer.on_close(lambda: self._ended(peer.session_id))

    def _ended(self, session_id: str) -> None:
        del self._all[session_id]

    def of(self, tenant: int) -> list[ClientSession]:
        """The sessions of a tenant, the longest connected first."""
        found = (each for each in self._all.values() if each.peer.tenant == tenant)
        return sorted(found, key=lambda each: (each.since, each.peer.session_id))

    def idle_s(self, session: ClientSession) -> float:
        """Machine seconds since its last request."""
        return max(0.0, self._machine.monotonic() - session.peer.last_request_at)

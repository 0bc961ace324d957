"""The sessions that are told when the content of a workbin changes. Memory only: they subscribe anew."""

from typing import NamedTuple

from paceline.wire.call import Peer


class Bin(NamedTuple):
    """One owner's workbin."""

    tenant_id: int
    workbin_id: int
    owner_id: int


class WorkbinWatchers:
    """Who is told when the content of a workbin changes: by workbin, then by session and subscription."""

    def __init__(self) -> None:
        self._watchers: dict[Bin, dict[tuple[str, int], Peer]] = {}

    def add(self, place: Bin, peer: Peer) -> int:
        """The session is told from now on, until the subscription or the session ends."""
        number = 0

        def end() -> None:
            watchers = self._watchers.get(place, {})
            watchers.pop((peer.session_id, number), None)
            if not watchers:
                self._watchers.pop(place, None)

        number = peer.open_subscription(end)
        self._watchers.setdefault(place, {})[peer.session_id, number] = peer
        return number

    def remove(self, session_id: str, number: int) -> None:
        """Ends a subscription; one that does not exist is no matter."""
        for watchers in self._watchers.values():
            watchers.pop((session_id, number), None)

    def of(self, place: Bin) -> list[tuple[Peer, int]]:
        """Sessions to tell, with the number of their subscription."""
        return [(peer, key[1]) for key, peer in self._watchers.get(place, {}).items()]

"""Requests for the history: pages of changes, and the stream of them."""

from paceline.errors.failure import PacelineError
from paceline.servers.configuration.live.change_feed import ChangeFeed
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.configuration import (
    ChangePage,
    ChangesSubscribed,
    ReadChanges,
    StreamChanges,
)
from paceline.wire.page import checked_limit

STREAM = "configuration.stream"


class ChangeRequests:
    """`configuration.changes` and `configuration.stream`."""

    def __init__(self, live: LiveConfiguration, feed: ChangeFeed) -> None:
        self._live = live
        self._feed = feed

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {"configuration.changes": self.changes, STREAM: self.stream}

    async def changes(self, call: Call, request: ReadChanges) -> ChangePage:
        """Changes in order; a page ends with a whole transaction and may be longer than its limit."""
        limit = checked_limit(request.limit)
        items, seq = await self._feed.read(call.principal, request.after, limit)
        if request.tenant is not None:
            tenant = call.tenant_of(request.tenant)
            items = tuple(item for item in items if item.tenant == tenant)
        return ChangePage(items=items, seq=seq, complete=seq >= self._live.seq)

    async def stream(self, call: Call, request: StreamChanges) -> ChangesSubscribed:
        """From a position on, or from now; nothing between is lost and nothing comes twice."""
        peer = call.needs_peer(STREAM)
        after = self._live.seq if request.after is None else request.after
        if not 0 <= after <= self._live.seq:
            raise PacelineError(
                "stale_sequence",
                f"there is no change {after}, the last is {self._live.seq}; read all objects again",
                field="after",
            )
        return ChangesSubscribed(subscription=self._feed.subscribe(peer, STREAM, after), seq=after)

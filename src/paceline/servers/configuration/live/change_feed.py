"""Streams of changes: from a position in the history on, whole transactions in order, no gap.

Called by requests/changes.py. Each stream is one task that reads the history after its position
and waits for the next commit: what was and what comes take the same way.
"""

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.servers.configuration.rules.show import record_of, sees_tenant
from paceline.servers.configuration.store.objects import REVOCATION, ObjectStore, StoredChange
from paceline.wire.call import Peer, Principal
from paceline.wire.operations.configuration import ChangeRecord, ChangesNotice

READ_AT_ONCE = 1000
"""Changes read per statement; a larger transaction is still told whole (chosen)."""

_RETRY_S = 1.0
"""Pause before a stream reads again when the database was away (chosen)."""


class ChangeFeed:
    """All open streams."""

    def __init__(
        self, live: LiveConfiguration, store: ObjectStore, tasks: TaskGroup, times: Times
    ) -> None:
        self._live = live
        self._store = store
        self._tasks = tasks
        self._times = times

    async def read(
        self, principal: Principal, after: int, limit: int
    ) -> tuple[tuple[ChangeRecord, ...], int]:
        """Changes of whole transactions that the caller may see, and the last one's number."""
        changes, seq = await self._store.read_changes(after, limit)
        return tuple(self._shown(principal, changes)), seq

    def subscribe(self, peer: Peer, operation: str, after: int) -> int:
        """Starts a stream; its number. It ends with the subscription or the session."""

        def close() -> None:
            task.cancel()

        subscription = peer.open_subscription(close)
        work = self._follow(peer, operation, subscription, after)
        task = self._tasks.start(f"changes for {peer.client}", work)
        return subscription

    async def _follow(self, peer: Peer, operation: str, subscription: int, after: int) -> None:
        await self._times.machine.sleep(0)  # the answer with the number goes first
        while True:
            committed = self._live.committed
            if self._live.seq <= after:
                await committed.wait()
                continue
            try:
                items, seq = await self.read(peer.principal, after, READ_AT_ONCE)
            except PacelineError:
                await self._times.machine.sleep(_RETRY_S)
                continue
            notice = ChangesNotice(items=items, seq=seq)
            body = msgspec.json.encode(notice)
            if items and not peer.notify_encoded(operation, body, subscription=subscription):
                return
            after = seq

    def _shown(self, principal: Principal, changes: list[StoredChange]) -> list[ChangeRecord]:
        return [
            self._record(principal, change)
            for change in changes
            if change.type == REVOCATION or sees_tenant(principal, change.tenant)
        ]

    def _record(self, principal: Principal, change: StoredChange) -> ChangeRecord:
        item = change.item
        return ChangeRecord(
            seq=change.seq,
            at=to_text(change.at),
            principal=change.principal,
            action=change.action,  # type: ignore[arg-type]  # written by this server only
            type=change.type,
            id=change.id,
            tenant=change.tenant,
            name=change.name,
            object=None if item is None else record_of(item, principal, self._live.secrets),
        )

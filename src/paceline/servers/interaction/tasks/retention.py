"""Retention: drops events and finished interactions when their time is over, and makes room ahead.

On PostgreSQL whole months go at once; in the default partition and on SQLite rows go in steps. Events
that a registered reader has not confirmed stay for it, but never longer than twice the retention.
"""

from functools import partial
from typing import NamedTuple

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.rules.months import Month, month_of
from paceline.servers.interaction.store import finished, partitions
from paceline.servers.interaction.store.node import FINISHED, Key
from paceline.storage.database import Database, DatabaseError, Transaction

CHECK_S = 60.0
"""Machine seconds between two looks (chosen: at speed 1000 a month of business time takes 43 minutes)."""

MONTHS_AHEAD = 2
"""Months that have a partition before they begin (chosen)."""

STEP = 1000
"""Rows deleted in one transaction: about 20 ms of the writer's time (chosen)."""

STEPS = 50
"""Most steps in one look, so that no other work starves (chosen)."""

_FIRST: Key = (-1, "")
_log = get_log("interaction.retention")


class _Divided(NamedTuple):
    table: str
    column: str


CHUNKS = _Divided(log_store.TABLE, "last_at")
ENDS = _Divided(FINISHED, "stopped_at")


class Retention:
    """The retention of one node."""

    def __init__(self, lane: NodeLane, database: Database, publisher: EventPublisher) -> None:
        self._lane = lane
        self._database = database
        self._node_code = lane.node.node_code
        self._publisher = publisher
        self._settings = lane.settings
        self._times = lane.node.times
        self._is_divided = database.engine == "postgresql"

    async def run(self) -> None:
        """Looks again and again; runs until cancelled."""
        while True:
            try:
                await self.make_room()
                await self.drop_events()
                await self.drop_finished()
            except (PacelineError, DatabaseError) as error:
                _log.warning("retention waits for the database", why=str(error))
            await self._times.machine.sleep(CHECK_S)

    async def make_room(self) -> None:
        """Makes the partitions of this month and of the next ones."""
        if not self._is_divided:
            return
        wanted = [month_of(self._times.business.now())]
        for _ in range(MONTHS_AHEAD):
            wanted.append(wanted[-1].next)
        for table, column in (CHUNKS, ENDS):
            present = await partitions.months_of(self._database, table)
            missing = [month for month in wanted if month not in present]
            if missing:
                await partitions.make(self._database, table, column, missing)

    # --- events ---------------------------------------------------------------------------------

    async def drop_events(self) -> None:
        """Drops events past `event-retention` that no registered reader waits for."""
        before = self._limit("event-retention")
        until_id = await self._needed_from(before)
        if self._is_divided:
            for month in await self._past(CHUNKS, before):
                last = await log_store.last_before(self._database, month.end)
                if last is None:
                    last = self._publisher.last_event_id
                if last > until_id:
                    break  # a reader waits
                await self._drop_month(month, last)
            await self._drop_chunks(partitions.default_of(CHUNKS.table), before, until_id)
        else:
            await self._drop_chunks(CHUNKS.table, before, until_id)

    async def _needed_from(self, before: int) -> int:
        """The last event id that every living reader has; one that was silent too long is forgotten."""
        until_id = self._publisher.last_event_id
        for reader in await log_store.read_readers(self._database):
            if reader.confirmed_at < before:
                _log.warning("a reader of events is forgotten", reader=reader.name)
                await log_store.forget_reader(self._database, reader.tenant_id, reader.name)
            else:
                until_id = min(until_id, reader.event_id)
        return until_id

    async def _drop_month(self, month: Month, last: int) -> None:
        async def work(transaction: Transaction) -> None:
            await log_store.raise_floor(transaction, self._node_code, last)
            await partitions.drop(transaction, table=CHUNKS.table, month=month)

        self._publisher.floor = max(self._publisher.floor, last)
        await self._database.transaction(work)
        _log.standard("events are past their retention", month=f"{month.year}-{month.month:02}")

    async def _drop_chunks(self, table: str, before: int, until_id: int) -> None:
        for _ in range(STEPS):
            keys = await log_store.oldest(
                self._database, table, before=before, until_id=until_id, limit=STEP
            )
            if not keys:
                return
            last = max(event_id for _, event_id, _ in keys)
            self._publisher.floor = max(self._publisher.floor, last)

            await self._database.transaction(
                partial(self._delete_chunks, table=table, keys=keys, last=last)
            )
            if len(keys) < STEP:
                return

    async def _delete_chunks(
        self,
        transaction: Transaction,
        *,
        table: str,
        keys: list[tuple[int, int, int]],
        last: int,
    ) -> None:
        await log_store.raise_floor(transaction, self._node_code, last)
        await log_store.delete(transaction, table, keys)

    # --- finished interactions ------------------------------------------------------------------

    async def drop_finished(self) -> None:
        """Drops finished interactions past `finished-retention`, with their user data and ids."""
        before = self._limit("finished-retention")
        if self._is_divided:
            for month in await self._past(ENDS, before):
                await self._drop_finished_month(month)
            await self._delete_finished(partitions.default_of(ENDS.table), before)
        else:
            await self._delete_finished(ENDS.table, before)
        await self._lane.carry_out(Work(lambda node: node.drop_finished(before)))

    async def _drop_finished_month(self, month: Month) -> None:
        """What is kept under the keys goes first, so that a repeat finds the rest."""
        table, after = partitions.name_of(ENDS.table, month), _FIRST
        while keys := await finished.page_of(self._database, table, after, STEP):
            after = keys[-1]
            await self._database.transaction(partial(finished.delete_followers, keys=keys))
        await self._database.transaction(partial(partitions.drop, table=ENDS.table, month=month))
        _log.standard(
            "interactions are past their retention", month=f"{month.year}-{month.month:02}"
        )

    async def _delete_finished(self, table: str, before: int) -> None:
        for _ in range(STEPS):
            keys = await finished.oldest(self._database, table, STEP, before=before)
            if keys:
                await self._database.transaction(partial(finished.delete_finished, keys=keys))
            if len(keys) < STEP:
                return

    # --- both -----------------------------------------------------------------------------------

    def _limit(self, option: str) -> int:
        """The business instant before which things are past a retention."""
        kept_s = self._settings.current.seconds("settings", option)
        return self._times.business.now() - int(kept_s * 1000)

    async def _past(self, divided: _Divided, before: int) -> list[Month]:
        """Months that have a partition and lie before an instant, whole; oldest first."""
        present = await partitions.months_of(self._database, divided.table)
        return [month for month in present if month.end <= before]

"""Events: the log by position and by interaction, its stream, and the readers that it waits for."""

from operator import attrgetter

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.event_log.position import event_id_of
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.event_filter import filter_of
from paceline.servers.interaction.store.node import read_finished, read_rows
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.event import (
    ConfirmEvents,
    EventPage,
    EventReader,
    EventReaderPage,
    EventReaderRef,
    ListEventReaders,
    ReadEvents,
    StreamEvents,
    Subscribed,
)
from paceline.wire.page import checked_limit, page_after

LONGEST_NAME = 200
"""Characters of a reader's name (chosen: an application's name fits)."""


class EventRequests:
    """Handlers of event.read, event.stream and event_reader.*."""

    def __init__(self, node: NodeState, database: Database, publisher: EventPublisher) -> None:
        self._node = node
        self._database = database
        self._publisher = publisher

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "event.read": self.read,
            "event.stream": self.stream,
            "event_reader.confirm": self.confirm,
            "event_reader.list": self.readers,
            "event_reader.forget": self.forget,
        }

    async def read(self, call: Call, request: ReadEvents) -> EventPage:
        """Events after a position; of one interaction, its time line from submission to end."""
        tenant = call.tenant_of(request.tenant)
        limit = checked_limit(request.limit)
        after = await self._begin(tenant, request.after, request.reader)
        start, last = max(after, self._publisher.floor), None
        if request.interaction_id is not None:
            first, last = await self._life(tenant, request.interaction_id)
            start = max(start, first)
        wanted = filter_of(request)
        page = await log_store.read_after(
            self._database,
            tenant,
            start,
            limit,
            show=None if wanted is None else wanted.shown,
            about=request.interaction_id,
        )
        return EventPage(
            items=page.events,
            position=self._publisher.position_text(page.reached),
            complete=page.complete or (last is not None and page.reached >= last),
            resync_required=0 < after < self._publisher.floor,
        )

    async def stream(self, call: Call, request: StreamEvents) -> Subscribed:
        """Events as they are committed, after the backlog behind a position."""
        peer = call.needs_peer("event.stream")
        tenant = call.tenant_of(request.tenant)
        wanted = filter_of(request)
        if request.latest:
            return self._publisher.subscribe(peer, tenant, None, wanted)
        after = await self._begin(tenant, request.after, request.reader)
        return self._publisher.subscribe(peer, tenant, after, wanted)

    async def confirm(self, call: Call, request: ConfirmEvents) -> Done:
        """Stores how far a reader has come; it is registered from then on."""
        if not 0 < len(request.reader) <= LONGEST_NAME:
            raise PacelineError(
                "invalid_attribute", f"reader has 1 to {LONGEST_NAME} characters", field="reader"
            )
        tenant = call.tenant_of(request.tenant)
        event_id = event_id_of(request.position, self._node.node_code, field="position")
        now = self._node.times.business.now()
        await log_store.confirm_reader(
            self._database, log_store.Reader(tenant, request.reader, event_id, now)
        )
        return Done()

    async def readers(self, call: Call, request: ListEventReaders) -> EventReaderPage:
        """Registered readers by name."""
        tenant = call.tenant_of(request.tenant)
        found = await log_store.read_readers(self._database, tenant)
        page, continuation = page_after(
            found, request.continuation, request.limit, attrgetter("name")
        )
        items = tuple(
            EventReader(
                reader=reader.name,
                position=self._publisher.position_text(reader.event_id),
                confirmed_at=to_text(reader.confirmed_at),
            )
            for reader in page
        )
        return EventReaderPage(
            items=items, continuation=continuation, complete=continuation is None
        )

    async def forget(self, call: Call, request: EventReaderRef) -> Done:
        """Removes a reader; one that is not registered stays away."""
        tenant = call.tenant_of(request.tenant)
        await log_store.forget_reader(self._database, tenant, request.reader)
        return Done()

    async def _begin(self, tenant: int, after: str | None, reader: str | None) -> int:
        """The event id behind which to begin: the position given, or the one a reader confirmed.

        Raises
        ------
        PacelineError
            `invalid_attribute` when the log never came so far: its database is an older one.
        """
        begin = 0
        if after is not None or reader is None:
            begin = event_id_of(after, self._node.node_code)
        else:
            for known in await log_store.read_readers(self._database, tenant):
                if known.name == reader:
                    begin = known.event_id
        if begin > self._publisher.last_event_id:
            end = await log_store.read_end(self._database, self._node.node_code)
            if begin > end:
                raise PacelineError(
                    "invalid_attribute",
                    f"the log ends before this position, at {self._publisher.position_text(end)}; "
                    "was its database restored? Read from the beginning",
                    field="after",
                )
        return begin

    async def _life(self, tenant: int, interaction_id: str) -> tuple[int, int | None]:
        """The event ids between which an interaction lived; no end while it is in work."""
        key = (tenant, interaction_id)
        rows = await read_rows(self._database, [key])
        if key in rows:
            return await self._begin_of(rows[key].submitted_at), None
        ends = await read_finished(self._database, [key])
        if key not in ends:
            raise PacelineError(
                "not_found",
                f"interaction '{interaction_id}' does not exist",
                field="interaction_id",
            )
        done = ends[key]
        return (
            await self._begin_of(done.row.submitted_at),
            await log_store.last_until(self._database, done.stopped_at),
        )

    async def _begin_of(self, at: int) -> int:
        """The event id behind which everything since an instant is."""
        before = await log_store.last_before(self._database, at)
        return self._publisher.last_event_id if before is None else before

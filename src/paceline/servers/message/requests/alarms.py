"""Requests for alarms: list, clear."""

from paceline.errors.failure import PacelineError
from paceline.model.instant import optional_text, to_text
from paceline.servers.message.live.writer import MessageWriter
from paceline.servers.message.store.messages import MessageStore
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.message import Alarm, AlarmPage, AlarmRef, ListAlarms
from paceline.wire.page import checked_limit, number_of


class AlarmRequests:
    """`alarm.list` and `alarm.clear`."""

    def __init__(self, writer: MessageWriter, store: MessageStore) -> None:
        self._writer = writer
        self._store = store

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {"alarm.list": self.list, "alarm.clear": self.clear}

    async def list(self, call: Call, request: ListAlarms) -> AlarmPage:
        """Alarms, newest first; with `all` also those that were cleared."""
        limit = checked_limit(request.limit)
        rows = await self._store.list_alarms(
            call.tenant_of(request.tenant),
            below=number_of(request.continuation),
            with_cleared=request.all,
            limit=limit + 1,
        )
        is_complete = len(rows) <= limit
        items = tuple(
            Alarm(
                id=row[0],
                condition=row[1],
                category=row[2],
                application=row[3],
                subject=row[4],
                text=row[5],
                detected_at=to_text(row[6]),
                cleared_at=optional_text(row[7]),
                cleared_by=row[8],
            )
            for row in rows[:limit]
        )
        continuation = None if is_complete else str(items[-1].id)
        return AlarmPage(items=items, continuation=continuation, complete=is_complete)

    async def clear(self, call: Call, request: AlarmRef) -> Done:
        """Clears an alarm in the caller's name; one that is cleared stays as it was."""
        tenant = call.tenant_of(request.tenant)
        was_active = await self._writer.clear(tenant, request.id, call.principal.name)
        if not was_active and not await self._store.has_alarm(tenant, request.id):
            raise PacelineError(
                "not_found", f"there is no alarm {request.id}; list alarms for ids", field="id"
            )
        return Done()

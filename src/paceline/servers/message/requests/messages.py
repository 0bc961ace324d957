"""Requests for messages: log, list."""

from asyncio import Future

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.servers.message.live.writer import MessageWriter
from paceline.servers.message.store.messages import MessageStore
from paceline.wire.call import Call, Handlers
from paceline.wire.once import once_of
from paceline.wire.operations.message import (
    ListMessages,
    Logged,
    LogMessage,
    MessagePage,
    MessageRow,
)
from paceline.wire.page import checked_limit, number_of

HIGHEST_NUMBER = 2**31 - 1
"""Message numbers are 32-bit integers in the field."""


class MessageRequests:
    """`message.log` and `message.list`."""

    def __init__(self, writer: MessageWriter, store: MessageStore) -> None:
        self._writer = writer
        self._store = store

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {"message.log": self.log, "message.list": self.list}

    def log(self, call: Call, request: LogMessage) -> Future[Logged]:
        """Stores a message; it and the alarm it raised are in the database when the answer comes.

        After an error with unknown outcome a repeat with the same idempotency key stores nothing
        twice; one without may store the message twice, never the alarm.
        """
        _check(request)
        once = once_of(call, "message.log")
        return self._writer.log(call.tenant_of(request.tenant), request, once)

    async def list(self, call: Call, request: ListMessages) -> MessagePage:
        """Messages, newest first."""
        limit = checked_limit(request.limit)
        rows = await self._store.list_messages(
            call.tenant_of(request.tenant),
            below=number_of(request.continuation),
            number=request.number,
            application=request.application,
            limit=limit + 1,
        )
        is_complete = len(rows) <= limit
        items = tuple(
            MessageRow(
                message_id=row[0],
                at=to_text(row[1]),
                application=row[2],
                level=row[3],
                number=row[4],
                subject=row[5],
                text=row[6],
                attributes=msgspec.json.decode(row[7].encode(), type=dict[str, str]),
            )
            for row in rows[:limit]
        )
        continuation = None if is_complete else str(items[-1].message_id)
        return MessagePage(items=items, continuation=continuation, complete=is_complete)


def _check(message: LogMessage) -> None:
    if not 0 <= message.number <= HIGHEST_NUMBER:
        raise PacelineError(
            "invalid_attribute",
            f"number is {message.number}; give one from 0 to {HIGHEST_NUMBER}",
            field="number",
        )

"""Operations of the Message Server: log messages and alarms."""

from typing import Literal

from paceline.wire.operation import Answer, Done, HttpRoute, Operation, Request, collect

Level = Literal["standard", "interaction", "trace", "debug", "alarm"]


class LogMessage(Request, frozen=True, kw_only=True):
    """A log record. `subject` separates alarms of one condition and application, such as a target's name."""

    application: str
    level: Level = "standard"
    number: int
    text: str
    subject: str = ""
    attributes: dict[str, str] = {}
    tenant: int | None = None


class Logged(Answer, frozen=True, kw_only=True):
    """The stored record's number, and the alarm it raised or cleared."""

    message_id: int
    detected: int | None = None
    cleared: int | None = None


class ListMessages(Request, frozen=True, kw_only=True):
    """A page of messages, newest first."""

    number: int | None = None
    application: str | None = None
    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class MessageRow(Answer, frozen=True, kw_only=True):
    """A stored log record."""

    message_id: int
    at: str
    application: str
    level: str
    number: int
    text: str
    subject: str = ""
    attributes: dict[str, str] = {}


class MessagePage(Answer, frozen=True, kw_only=True):
    """Messages, newest first."""

    items: tuple[MessageRow, ...]
    continuation: str | None = None
    complete: bool = True


class ListAlarms(Request, frozen=True, kw_only=True):
    """A page of alarms; only active ones unless `all`."""

    all: bool = False
    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class Alarm(Answer, frozen=True, kw_only=True):
    """An alarm: raised by a detect event, cleared by the cancel event, a person or its timeout."""

    id: int
    condition: str
    category: str
    application: str
    subject: str
    text: str
    detected_at: str
    cleared_at: str | None = None
    cleared_by: str | None = None


class AlarmPage(Answer, frozen=True, kw_only=True):
    """Alarms, newest first."""

    items: tuple[Alarm, ...]
    continuation: str | None = None
    complete: bool = True


class AlarmRef(Request, frozen=True, kw_only=True):
    """Names an alarm."""

    id: int
    tenant: int | None = None


OPERATIONS = collect(
    (
        Operation(name="message.log", request=LogMessage, answer=Logged, right=("message", "create"), idempotency="key", http=HttpRoute("POST", "/v1/messages", 201), summary="Stores a log record and matches it with the alarm conditions."),
        Operation(name="message.list", request=ListMessages, answer=MessagePage, right=("message", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/messages"), summary="Log records, newest first."),
        Operation(name="alarm.list", request=ListAlarms, answer=AlarmPage, right=("message", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/alarms"), summary="Active alarms."),
        Operation(name="alarm.clear", request=AlarmRef, answer=Done, right=("message", "execute"), idempotency="by_nature", audited=True, http=HttpRoute("POST", "/v1/alarms/{id}/clear"), summary="Clears an alarm by hand."),
    )
)  # fmt: skip

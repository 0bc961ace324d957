"""Operations on the log of reporting events: by position, by interaction, as a resumable stream; its readers."""

import msgspec

from paceline.wire.operation import (
    Answer,
    Done,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    collect,
    empty_object,
)


class Event(Answer, frozen=True, kw_only=True):
    """A reporting event. `name` is the documented one; `data` holds what only some events have."""

    position: str
    node: int
    event_id: int
    name: str
    at: str
    tenant: int
    actor: str
    interaction_id: str | None = None
    queue: str | None = None
    agent: str | None = None
    place: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    properties_version: int | None = None
    data: msgspec.Raw = msgspec.field(default_factory=empty_object)


class ReadEvents(Request, frozen=True, kw_only=True):
    """Events after a position; none = from the beginning of what is retained.

    `reader` names a registered reader and stands for the position that it confirmed. The filters are
    the documented ones of `[event-filtering]`: false takes that kind of event out of the answer,
    `log_userdata` only the values of user data; `event_filter_by_id` lists the only names wanted.
    """

    after: str | None = None
    limit: int = 100
    interaction_id: str | None = None
    reader: str | None = None
    log_agent_state: bool = True
    log_agent_activity: bool = True
    log_queue: bool = True
    log_strategy: bool = True
    log_esp_service: bool = True
    log_userdata: bool = True
    event_filter_by_id: str = ""
    tenant: int | None = None


class EventPage(Answer, frozen=True, kw_only=True):
    """Events in order. `position` is where to go on; `complete` tells that nothing more is there now.

    A page may be short or empty before the end is reached. `resync_required`: events behind `after`
    are past their retention, the page begins with the oldest that is kept.
    """

    items: tuple[Event, ...]
    position: str
    complete: bool
    resync_required: bool = False


class StreamEvents(Request, frozen=True, kw_only=True):
    """Subscribes to events after a position; `latest` starts with the next event. Filters as in `ReadEvents`."""

    after: str | None = None
    latest: bool = False
    reader: str | None = None
    log_agent_state: bool = True
    log_agent_activity: bool = True
    log_queue: bool = True
    log_strategy: bool = True
    log_esp_service: bool = True
    log_userdata: bool = True
    event_filter_by_id: str = ""
    tenant: int | None = None


class Subscribed(Answer, frozen=True, kw_only=True):
    """The subscription's number in the notices, and where the stream begins.

    `resync_required`: events behind the position asked for are past their retention.
    """

    subscription: int
    position: str | None = None
    resync_required: bool = False


class EventNotice(Answer, frozen=True, kw_only=True):
    """Notice of the stream: events in order, without a gap; none when filters took all up to `position`."""

    items: tuple[Event, ...]
    position: str


class ResyncRequired(Answer, frozen=True, kw_only=True):
    """Notice: the stream has ended because its reader was too slow; it goes on from `position`."""

    subscription: int
    position: str | None = None


class ConfirmEvents(Request, frozen=True, kw_only=True):
    """Registers a reader, or moves it on: it has stored everything up to `position`."""

    reader: str
    position: str
    tenant: int | None = None


class EventReader(Answer, frozen=True, kw_only=True):
    """A registered reader: what is behind its position is kept for it, up to twice the retention."""

    reader: str
    position: str
    confirmed_at: str


class EventReaderRef(Request, frozen=True, kw_only=True):
    """Names a registered reader."""

    reader: str
    tenant: int | None = None


class ListEventReaders(Request, frozen=True, kw_only=True):
    """A page of the registered readers."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class EventReaderPage(Answer, frozen=True, kw_only=True):
    """Registered readers by name."""

    items: tuple[EventReader, ...]
    continuation: str | None = None
    complete: bool = True


_READERS = "/v1/event-readers"

OPERATIONS = collect(
    (
        Operation(name="event.read", request=ReadEvents, answer=EventPage, right=("event", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/events"), summary="Reporting events in order after a position, of all or of one interaction."),
        Operation(name="event.stream", request=StreamEvents, answer=Subscribed, right=("event", "read"), stream=True, http=HttpRoute("WS", "/v1/events/stream"), summary="Reporting events as they are committed, resumable by position."),
        Operation(name="event_reader.confirm", request=ConfirmEvents, answer=Done, right=("event", "execute"), idempotency="by_nature", http=HttpRoute("POST", _READERS + "/{reader}/confirm"), summary="Stores how far a reader has come; retention waits for it."),
        Operation(name="event_reader.list", request=ListEventReaders, answer=EventReaderPage, right=("event", "read"), idempotency="by_nature", http=HttpRoute("GET", _READERS), summary="Registered readers and their positions."),
        Operation(name="event_reader.forget", request=EventReaderRef, answer=Done, right=("event", "delete"), idempotency="by_nature", http=HttpRoute("DELETE", _READERS + "/{reader}"), summary="Retention waits for this reader no longer."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"event.stream": EventNotice, "resync_required": ResyncRequired}

"""Operations on the log of reporting events: reading by position and the resumable stream."""

import msgspec

from paceline.wire.operation import Answer, HttpRoute, Operation, Request, collect, empty_object


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
    properties_version: int | None = None
    data: msgspec.Raw = msgspec.field(default_factory=empty_object)


class ReadEvents(Request, frozen=True, kw_only=True):
    """Events after a position; none = from the beginning of what is retained."""

    after: str | None = None
    limit: int = 100
    tenant: int | None = None


class EventPage(Answer, frozen=True, kw_only=True):
    """Events in order. `position` is where to go on; `complete` tells that nothing more is there now."""

    items: tuple[Event, ...]
    position: str
    complete: bool


class StreamEvents(Request, frozen=True, kw_only=True):
    """Subscribes to events after a position; `latest` starts with the next event."""

    after: str | None = None
    latest: bool = False
    tenant: int | None = None


class Subscribed(Answer, frozen=True, kw_only=True):
    """The subscription's number in the notices, and where the stream begins."""

    subscription: int
    position: str | None = None


class EventNotice(Answer, frozen=True, kw_only=True):
    """Notice of the stream: events in order, without a gap."""

    items: tuple[Event, ...]
    position: str


class ResyncRequired(Answer, frozen=True, kw_only=True):
    """Notice: the reader was too slow and missed what follows `position`; read from there."""

    subscription: int
    position: str | None = None


OPERATIONS = collect(
    (
        Operation(name="event.read", request=ReadEvents, answer=EventPage, right=("event", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/events"), summary="Reporting events in order after a position."),
        Operation(name="event.stream", request=StreamEvents, answer=Subscribed, right=("event", "read"), stream=True, http=HttpRoute("WS", "/v1/events/stream"), summary="Reporting events as they are committed, resumable by position."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"event.stream": EventNotice, "resync_required": ResyncRequired}

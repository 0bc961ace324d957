"""The documented event filters `[event-filtering]`, as a reader of the log asks for them.

The log of record is never filtered: a filter belongs to a reader or a sink (interaction-server.md §3.4).
"""

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.events import KINDS, PERSONAL_FIELDS, Endpoint
from paceline.wire.operations.event import Event, ReadEvents, StreamEvents

VALUE_FIELDS = frozenset(("keys", *PERSONAL_FIELDS))
"""Fields of an event's data that hold values of user data: what `log-userdata` is about."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_party = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


class EventFilter(msgspec.Struct, frozen=True):
    """What a reader does not want. Equal filters give equal streams."""

    without: frozenset[Endpoint] = frozenset()
    only: frozenset[str] = frozenset()
    with_values: bool = True

    def shown(self, event: Event) -> Event | None:
        """The event as this reader gets it; None when it gets none of it."""
        if self.only and event.name not in self.only:
            return None
        if self.without and self._endpoint(event) in self.without:
            return None
        return event if self.with_values else without_fields(event, VALUE_FIELDS)

    def _endpoint(self, event: Event) -> Endpoint | None:
        kind = KINDS.get(event.name)
        if kind is None or not kind.endpoints:
            return None
        if len(kind.endpoints) > 1:
            party = _fields.decode(event.data).get("party")
            named = _party.decode(party) if party is not None else ""
            return next((e for e in kind.endpoints if e == named), kind.endpoints[0])
        return kind.endpoints[0]


def filter_of(request: ReadEvents | StreamEvents) -> EventFilter | None:
    """The filter that a request asks for; None when it wants everything.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it lists a name that no event has.
    """
    wanted: tuple[tuple[Endpoint, bool], ...] = (
        ("agent_state", request.log_agent_state),
        ("agent", request.log_agent_activity),
        ("queue", request.log_queue),
        ("strategy", request.log_strategy),
        ("esp_service", request.log_esp_service),
    )
    only = frozenset(
        name for part in request.event_filter_by_id.split(",") if (name := part.strip())
    )
    unknown = sorted(only - KINDS.keys())
    if unknown:
        raise PacelineError(
            "invalid_attribute",
            f"'{unknown[0]}' is no event; names are such as EventPlacedInQueue, separated by commas",
            field="event_filter_by_id",
        )
    without = frozenset(endpoint for endpoint, is_wanted in wanted if not is_wanted)
    if not without and not only and request.log_userdata:
        return None
    return EventFilter(without, only, request.log_userdata)


def without_fields(event: Event, names: frozenset[str]) -> Event:
    """The event without some fields of its data; itself when it has none of them."""
    fields = _fields.decode(event.data)
    if names.isdisjoint(fields):
        return event
    kept = {name: value for name, value in fields.items() if name not in names}
    return msgspec.structs.replace(event, data=msgspec.Raw(_encode(kept)))

"""A reporting event as a line for people: what happened, to which interaction, where, who, why.

Called by live/board.py for the last events only.
"""

import re
from typing import Final

import msgspec

from paceline.model import events
from paceline.wire.operations.event import Event

IN_WORDS: Final = {
    events.INTERACTION_SUBMITTED: "submitted",
    events.PLACED_IN_QUEUE: "placed in queue",
    events.TAKEN_FROM_QUEUE: "taken from queue",
    events.AGENT_INVITED: "offered to agent",
    events.REJECTED: "rejected by agent",
    events.REVOKED: "offer revoked",
    events.PROPERTIES_CHANGED: "properties changed",
    events.PROCESSING_STOPPED: "finished",
    events.ABANDONED: "visitor left",
    events.VIRTUAL_QUEUE_ENTERED: "waits for an agent",
    events.VIRTUAL_QUEUE_DISTRIBUTED: "agent accepted",
    events.VIRTUAL_QUEUE_ABANDONED: "visitor left while waiting",
    events.VIRTUAL_QUEUE_CLEARED: "left the virtual queue",
    events.AGENT_LOGIN: "agent logged in",
    events.AGENT_LOGOUT: "agent logged out",
    events.MEDIA_ADDED: "medium added",
    events.MEDIA_REMOVED: "medium removed",
    events.READY_FOR_MEDIA: "agent ready",
    events.NOT_READY_FOR_MEDIA: "agent not ready",
    events.DO_NOT_DISTURB_ON: "do not disturb on",
    events.DO_NOT_DISTURB_OFF: "do not disturb off",
    events.MEDIA_STATE_REASON_CHANGED: "reason of the medium changed",
    events.AGENT_STATE_REASON_CHANGED: "agent's reason changed",
    events.PANIC_SIGNAL: "many agents lost at once",
    events.HELD: "on hold",
    events.RESUMED: "off hold",
    events.PLACED_IN_WORKBIN: "placed in workbin",
    events.TAKEN_FROM_WORKBIN: "taken from workbin",
    events.DATA_ERASED: "user data erased",
    events.EXTERNAL_SERVICE_REQUESTED: "external service asked",
    events.EXTERNAL_SERVICE_RESPONDED: "external service answered",
    events.CUSTOM_REPORTING: "custom event",
}
OF_AGENTS: Final = {
    events.PARTY_ADDED: "agent handles it",
    events.PARTY_REMOVED: "agent is done",
}
OF_STRATEGIES: Final = {
    events.PARTY_ADDED: "with the router",
    events.PARTY_REMOVED: "left the router",
}


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `where` is the virtual queue or the interaction queue."""

    position: str
    at: str
    what: str
    interaction_id: str | None
    media_type: str | None
    where: str | None
    agent: str | None
    reason: str | None


class _Data(msgspec.Struct, frozen=True):
    media_type: str | None = None
    virtual_queue: str | None = None
    party: str | None = None


_data = msgspec.json.Decoder(_Data)


def event_line(event: Event) -> EventLine:
    """The event in words; one this console does not know shows its name."""
    try:
        data = _data.decode(event.data)
    except msgspec.DecodeError:
        data = _Data()
    return EventLine(
        position=event.position,
        at=event.at,
        what=_in_words(event.name, data.party),
        interaction_id=event.interaction_id,
        media_type=data.media_type,
        where=data.virtual_queue or event.queue,
        agent=event.agent,
        reason=event.reason,
    )


def _in_words(name: str, party: str | None) -> str:
    by_party = OF_AGENTS if party == "agent" else OF_STRATEGIES
    known = IN_WORDS.get(name) or by_party.get(name)
    return known or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removeprefix("Event")).lower()

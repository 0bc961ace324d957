"""Reporting events: the documented names, ours for virtual queues, and what each carries.

The Interaction Server writes them in the transaction of the change; the Stat Server and every other
reader go by these names. `data` always holds `media_type` for events of an interaction. `KINDS` says
of each to which activity it belongs and which filters concern it (interaction-server.md §1.4, §3.4).
"""

from typing import Final, Literal, NamedTuple

INTERACTION_SUBMITTED: Final = "EventInteractionSubmitted"
"""Stored. queue; data: interaction_type, interaction_subtype, priority, received_at, submit_seq, keys,
scheduled_at if any."""

PLACED_IN_QUEUE: Final = "EventPlacedInQueue"
"""Back or on into an interaction queue; never for the submission itself. queue, reason; data: queue_seq when it
goes to the end."""

TAKEN_FROM_QUEUE: Final = "EventTakenFromQueue"
"""Pulled. queue; data: party (strategy or agent)."""

PLACED_IN_WORKBIN: Final = "EventPlacedInWorkbin"
"""Put into a workbin. data: workbin, owner_type, owner; PLACED_IN_QUEUE of its private queue follows."""

TAKEN_FROM_WORKBIN: Final = "EventTakenFromWorkbin"
"""Taken out of a workbin. data: workbin, owner_type, owner, party."""

PARTY_ADDED: Final = "EventPartyAdded"
"""A router has it (data.party strategy) or an agent handles it (data.party agent; agent, place)."""

PARTY_REMOVED: Final = "EventPartyRemoved"
"""The party of PARTY_ADDED has it no longer. data: party; reason. For an agent: the slot is free."""

AGENT_INVITED: Final = "EventAgentInvited"
"""Offered to an agent: it rings. agent, place; data: ticket, virtual_queue."""

REJECTED: Final = "EventRejected"
"""The invited agent refused. agent, place; data: ticket, virtual_queue."""

REVOKED: Final = "EventRevoked"
"""The offer is over without an answer, or the agent lost what it handled. agent, place, reason; data: ticket."""

PROPERTIES_CHANGED: Final = "EventPropertiesChanged"
"""Something changed. properties_version; data: changed key names, keys (filter keys' values), priority if
changed."""

HELD: Final = "EventHeld"
"""On hold: no view shows it. reason."""

RESUMED: Final = "EventResumed"
"""Off hold again. reason."""

PROCESSING_STOPPED: Final = "EventProcessingStopped"
"""The end. reason."""

ABANDONED: Final = "EventAbandoned"
"""The visitor has left. data: virtual_queue; data.is_handled tells whether an agent had it."""

DATA_ERASED: Final = "EventDataErased"
"""Ours: its user data were erased for privacy; readers erase their copies. properties_version; no values."""

VIRTUAL_QUEUE_ENTERED: Final = "EventVirtualQueueEntered"
"""It waits in a virtual queue from now. data: virtual_queue (number), keys."""

VIRTUAL_QUEUE_DISTRIBUTED: Final = "EventVirtualQueueDistributed"
"""An agent accepted it out of the virtual queue. agent; data: virtual_queue, waited_ms, keys."""

VIRTUAL_QUEUE_ABANDONED: Final = "EventVirtualQueueAbandoned"
"""The visitor left the virtual queue before an agent joined. data: virtual_queue, waited_ms, was_ringing, keys."""

VIRTUAL_QUEUE_CLEARED: Final = "EventVirtualQueueCleared"
"""It left the virtual queue otherwise: stopped, put elsewhere. data: virtual_queue, keys; reason."""

AGENT_LOGIN: Final = "EventAgentLogin"
"""agent, place; data: session_id."""

AGENT_LOGOUT: Final = "EventAgentLogout"
"""agent, place; reason; data: session_id. All media are gone with it."""

MEDIA_ADDED: Final = "EventMediaAdded"
"""agent, place; data: media_type. Not ready until READY_FOR_MEDIA."""

MEDIA_REMOVED: Final = "EventMediaRemoved"
"""agent, place; data: media_type."""

READY_FOR_MEDIA: Final = "EventReadyForMedia"
"""agent, place; data: media_type."""

NOT_READY_FOR_MEDIA: Final = "EventNotReadyForMedia"
"""agent, place, reason; data: media_type."""

MEDIA_STATE_REASON_CHANGED: Final = "EventMediaStateReasonChanged"
"""The reason of a media state changed, the state did not. agent, place, reason; data: media_type."""

AGENT_STATE_REASON_CHANGED: Final = "EventAgentStateReasonChanged"
"""The agent's own reason changed. agent, place, reason."""

DO_NOT_DISTURB_ON: Final = "EventDoNotDisturbOn"
"""agent, place."""

DO_NOT_DISTURB_OFF: Final = "EventDoNotDisturbOff"
"""agent, place."""

PANIC_SIGNAL: Final = "EventPanicSignal"
"""Ours: many sessions were lost on one link at once. data: path, sessions."""

EXTERNAL_SERVICE_REQUESTED: Final = "EventExternalServiceRequested"
"""data: service, method, request_id, envelope (personal)."""

EXTERNAL_SERVICE_RESPONDED: Final = "EventExternalServiceResponded"
"""data: service, method, request_id, envelope (personal); reason when it failed."""

CUSTOM_REPORTING: Final = "EventCustomReporting"
"""A client's own event (RequestDistributeEvent). data: event (its id), payload (personal)."""

MOVED: Final = "moved"
"""Reason of VIRTUAL_QUEUE_CLEARED when it goes on into another virtual queue."""

FILTER_KEYS: Final = (
    "Proactive",
    "PacingTarget",
    "PacingVirtualQueue",
    "PacingAgentGroups",
    "PacingMediaType",
    "PacingInvitationId",
)
"""User data keys whose values events carry (INTERFACES: personal data); never personal ones."""

WITH_USER_DATA: Final = frozenset((INTERACTION_SUBMITTED, PROPERTIES_CHANGED))
"""Events whose data hold the whole user data (`user_data`) where the option log-userdata says so."""

PERSONAL_FIELDS: Final = ("user_data", "payload", "envelope")
"""Fields of an event's data that may hold personal data; erasure empties them."""

Activity = Literal["interaction", "agent", "esp", "custom"]
Endpoint = Literal["agent", "strategy", "queue", "agent_state", "esp_service"]


class EventKind(NamedTuple):
    """What the filters know of an event: its activity, and which kinds of endpoint it may concern."""

    name: str
    activity: Activity
    endpoints: tuple[Endpoint, ...] = ()


KINDS: Final[dict[str, EventKind]] = {
    kind.name: kind
    for kind in (
        EventKind(INTERACTION_SUBMITTED, "interaction"),
        EventKind(PROCESSING_STOPPED, "interaction"),
        EventKind(PROPERTIES_CHANGED, "interaction"),
        EventKind(HELD, "interaction"),
        EventKind(RESUMED, "interaction"),
        EventKind(ABANDONED, "interaction"),
        EventKind(DATA_ERASED, "interaction"),
        EventKind(PARTY_ADDED, "interaction", ("agent", "strategy")),
        EventKind(PARTY_REMOVED, "interaction", ("agent", "strategy")),
        EventKind(AGENT_INVITED, "interaction", ("agent",)),
        EventKind(REJECTED, "interaction", ("agent",)),
        EventKind(REVOKED, "interaction", ("agent",)),
        EventKind(PLACED_IN_QUEUE, "interaction", ("queue",)),
        EventKind(TAKEN_FROM_QUEUE, "interaction", ("queue",)),
        EventKind(PLACED_IN_WORKBIN, "interaction", ("queue",)),
        EventKind(TAKEN_FROM_WORKBIN, "interaction", ("queue",)),
        EventKind(VIRTUAL_QUEUE_ENTERED, "interaction", ("queue",)),
        EventKind(VIRTUAL_QUEUE_DISTRIBUTED, "interaction", ("queue",)),
        EventKind(VIRTUAL_QUEUE_ABANDONED, "interaction", ("queue",)),
        EventKind(VIRTUAL_QUEUE_CLEARED, "interaction", ("queue",)),
        EventKind(AGENT_LOGIN, "agent", ("agent_state",)),
        EventKind(AGENT_LOGOUT, "agent", ("agent_state",)),
        EventKind(MEDIA_ADDED, "agent", ("agent_state",)),
        EventKind(MEDIA_REMOVED, "agent", ("agent_state",)),
        EventKind(READY_FOR_MEDIA, "agent", ("agent_state",)),
        EventKind(NOT_READY_FOR_MEDIA, "agent", ("agent_state",)),
        EventKind(MEDIA_STATE_REASON_CHANGED, "agent", ("agent_state",)),
        EventKind(AGENT_STATE_REASON_CHANGED, "agent", ("agent_state",)),
        EventKind(DO_NOT_DISTURB_ON, "agent", ("agent_state",)),
        EventKind(DO_NOT_DISTURB_OFF, "agent", ("agent_state",)),
        EventKind(PANIC_SIGNAL, "agent", ("agent_state",)),
        EventKind(EXTERNAL_SERVICE_REQUESTED, "esp", ("esp_service",)),
        EventKind(EXTERNAL_SERVICE_RESPONDED, "esp", ("esp_service",)),
        EventKind(CUSTOM_REPORTING, "custom"),
    )
}
"""Every event by name. Where an event may concern two endpoints its `data.party` says which one."""

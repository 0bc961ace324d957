"""Reporting events: the documented names, ours for virtual queues, and what each carries.

The Interaction Server writes them in the transaction of the change; the Stat Server and every other
reader go by these names. `data` always holds `media_type` for events of an interaction.
"""

from typing import Final

INTERACTION_SUBMITTED: Final = "EventInteractionSubmitted"
"""Stored. queue; data: interaction_type, interaction_subtype, priority, received_at, submit_seq, keys …"""

PLACED_IN_QUEUE: Final = "EventPlacedInQueue"
"""Back or on into an interaction queue; never for the submission itself. queue, reason."""

TAKEN_FROM_QUEUE: Final = "EventTakenFromQueue"
"""Pulled. queue; data: party (strategy or agent)."""

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
"""User data or properties changed. properties_version; data: changed key names, keys (filter keys' values)."""

PROCESSING_STOPPED: Final = "EventProcessingStopped"
"""The end. reason."""

ABANDONED: Final = "EventAbandoned"
"""The visitor has left. data: virtual_queue; data.is_handled tells whether an agent had it."""

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

DO_NOT_DISTURB_ON: Final = "EventDoNotDisturbOn"
"""agent, place."""

DO_NOT_DISTURB_OFF: Final = "EventDoNotDisturbOff"
"""agent, place."""

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

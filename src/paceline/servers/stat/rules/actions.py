"""The actions that statistics count, by object: documented names, and those that need explaining.

On a virtual queue an interaction is in exactly one of waiting, ringing, accepted, abandoned, left
otherwise. On an agent each handling gives CallReleased when the agent has the interaction no
longer, and ACWCompleted when the slot is free again: with it, as long as there is no wrap-up. A
handling is the owner's: who takes part beside it has a slot taken and nothing counted.
"""

from typing import Final

CALL_WAIT: Final = "CallWait"
"""Durable: waits in a virtual queue and rings at nobody."""
CALL_RINGING: Final = "CallRinging"
"""Durable (ours on virtual queues): is being delivered to an agent out of the virtual queue."""

CALL_ENTERED: Final = "CallEntered"
CALL_ANSWERED: Final = "CallAnswered"
CALL_ABANDONED: Final = "CallAbandoned"
CALL_ABANDONED_FROM_RINGING: Final = "CallAbandonedFromRinging"
CALL_CLEARED: Final = "CallCleared"
"""Left a virtual queue otherwise: stopped, or put elsewhere."""
CALL_DISTRIBUTED_TO_QUEUE: Final = "CallDistributedToQueue"
"""Left a virtual queue for another virtual queue."""

CALL_RELEASED: Final = "CallReleased"
ACW_COMPLETED: Final = "ACWCompleted"

QUEUE_DURABLE: Final = frozenset({CALL_WAIT, CALL_RINGING})
QUEUE_COUNTED: Final = frozenset(
    {
        CALL_ENTERED,
        CALL_ANSWERED,
        CALL_ABANDONED,
        CALL_ABANDONED_FROM_RINGING,
        CALL_CLEARED,
        CALL_DISTRIBUTED_TO_QUEUE,
    }
)
AGENT_COUNTED: Final = frozenset({CALL_ANSWERED, CALL_RELEASED, ACW_COMPLETED})

ABANDONMENT: Final = frozenset({CALL_ABANDONED, CALL_ABANDONED_FROM_RINGING})

_IN_TIME: Final = (CALL_ANSWERED, CALL_RELEASED, ACW_COMPLETED)
"""Each of these is always followed by the next, for the same agent and interaction."""


def last_only(actions: frozenset[str]) -> frozenset[str]:
    """The actions of an agent's mask that count when only the last one of a handling may.

    The last is the latest in time that the mask has, because every earlier one is followed by it.
    """
    return frozenset([max(actions, key=_IN_TIME.index)])

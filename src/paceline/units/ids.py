"""Ids of the field as distinct types. Pure; imported everywhere, imports nothing of ours."""

from typing import NewType

TenantId = NewType("TenantId", int)
"""Number of a tenant; 1 is the single-tenant site."""

ObjectId = NewType("ObjectId", int)
"""Stable number of a configuration object; a rename keeps it."""

InteractionId = NewType("InteractionId", str)
"""Id of an interaction, unique per tenant over the whole cluster."""

EventId = NewType("EventId", int)
"""Number of a reporting event, increasing within its node."""

Epoch = NewType("Epoch", int)
"""Fencing number of a leadership; a higher one always wins."""

Position = NewType("Position", str)
"""Opaque place in a stream of events."""

RequestId = NewType("RequestId", str)
"""Id of one request, carried by its errors, log lines and answer."""

"""An interaction as its node holds it: one row of the store, with its state and flags.

Shared by the Interaction Server's rules, live state and store. Instants are milliseconds, objects
are ids; names and texts are put in only when it leaves the server.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias

import msgspec

CustomValue: TypeAlias = str | float | int
"""A custom property's value: text, number, or instant in milliseconds."""


class InteractionState(IntEnum):
    """The documented states, and ours for one that is finished."""

    QUEUED = 0
    CACHED = 1
    ROUTING = 2
    HANDLING = 3
    STOPPED = 4

    @property
    def text(self) -> str:
        """The state's word on the wire."""
        return _TEXTS[self]


_TEXTS = ("queued", "cached", "routing", "handling", "stopped")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One interaction. Field order is the order of the store's columns.

    `queue_seq` grows with every placement in a queue; `ticket` is 0 without an outstanding
    invitation; `agent_id` is the invited agent while it rings and the handling one after. With a
    `workbin_id` its queue is that workbin's private one, whose id is the workbin's. `view_id` is the
    view that it was last pulled from, `destinations` the queues suggested for it as one text.
    `custom` holds its custom properties by column (no column of its own: it stays the last field);
    None when it has none.
    """

    tenant_id: int
    interaction_id: str
    state: int
    media_type: str
    interaction_type: str
    interaction_subtype: str
    queue_id: int
    priority: int
    submit_seq: int
    queue_seq: int
    received_at: int
    submitted_at: int
    queued_at: int
    assigned_at: int | None
    delivered_at: int | None
    abandoned_at: int | None
    scheduled_at: int | None
    is_online: bool
    is_locked: bool
    is_held: bool
    agent_id: int | None
    place_id: int | None
    router_session: str | None
    ticket: int
    ticket_until: int | None
    virtual_queue_id: int | None
    virtual_queue_at: int | None
    external_id: str | None
    parent_id: str | None
    submitted_by: str
    version: int
    properties_version: int
    workbin_id: int | None = None
    workbin_owner_id: int | None = None
    view_id: int | None = None
    destinations: str | None = None
    custom: Mapping[str, CustomValue] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a view may show it."""
        return self.state == 0 and not self.is_locked and not self.is_held

    @property
    def key(self) -> tuple[int, str]:
        """What names it over all tenants."""
        return self.tenant_id, self.interaction_id


COLUMNS: tuple[str, ...] = tuple(field.name for field in msgspec.structs.fields(Row))[:-1]
KEY_COLUMNS = ("tenant_id", "interaction_id")
FIXED_COLUMNS = (
    *KEY_COLUMNS,
    "media_type",
    "interaction_type",
    "interaction_subtype",
    "submit_seq",
    "received_at",
    "submitted_at",
    "submitted_by",
)
"""Columns that never change after the submission."""

RARE_COLUMNS = ("destinations",)
"""Columns that are written again only when they change."""

CHANGING_COLUMNS: tuple[str, ...] = tuple(
    name for name in COLUMNS if name not in (*FIXED_COLUMNS, *RARE_COLUMNS)
)
"""Columns that are written with every change."""

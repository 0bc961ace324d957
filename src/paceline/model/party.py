"""A party of an interaction beside its owner: an agent who joined it, or whose joining is asked for.

Shared by the Interaction Server's live state and store. The owner stands in the interaction's row.
"""

from typing import Final, Literal

import msgspec

Role = Literal["transfer", "conference", "intrude"]
"""How a party comes in: the owner hands over, the owner invites, or an outsider asks the owner."""

Visibility = Literal["conference", "coach", "monitor"]
"""Seen by everybody, by the agents only, or by nobody (VisibilityMode)."""

INTRUDE: Final = "intrude"
MONITOR: Final = "monitor"


class Party(msgspec.Struct, frozen=True, gc=False):
    """One agent. `ticket` is 0 once joined; `asked_by` is the agent who asked for it."""

    tenant_id: int
    interaction_id: str
    agent_id: int
    media_type: str
    place_id: int | None
    role: Role
    visibility: Visibility
    ticket: int
    ticket_until: int | None
    asked_by: int
    since: int

    @property
    def key(self) -> tuple[int, str]:
        """The interaction."""
        return self.tenant_id, self.interaction_id

    @property
    def is_joined(self) -> bool:
        """Whether it takes part, rather than being asked for."""
        return self.ticket == 0


PARTY_COLUMNS: tuple[str, ...] = tuple(field.name for field in msgspec.structs.fields(Party))

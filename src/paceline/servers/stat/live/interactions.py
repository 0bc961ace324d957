"""One interaction that is in a virtual queue or at an agent, as far as statistics need it.

Held and changed by centre.py, stored in the checkpoint as it is. An interaction that merely waits
in an interaction queue is not held, unless it has filter keys, which only its submission carries.
"""

from typing import Any, TypeAlias

import msgspec

from paceline.servers.stat.rules.actions import CALL_RINGING, CALL_WAIT

KeyValue: TypeAlias = Any
"""A user data value as it came: whatever JSON can be, compared as text."""


class OpenInteraction(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What is known of an open interaction. `keys` are the values of its filter keys.

    `ringing` is who has a router's offer, `asked` who is asked by the owner to join or to take it
    over; `parties` are those of `handling` who take part beside the owner.
    """

    tenant: int
    interaction_id: str
    media_type: str
    keys: dict[str, KeyValue] = {}
    virtual_queue: str | None = None
    ringing: str | None = None
    handling: tuple[str, ...] = ()
    asked: str | None = None
    parties: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether forgetting it would lose something."""
        return bool(self.virtual_queue or self.ringing or self.handling or self.asked or self.keys)

    @property
    def durable_action(self) -> str:
        """What it does in its virtual queue."""
        return CALL_WAIT if self.ringing is None else CALL_RINGING

    def attributes(self) -> dict[str, object]:
        """What filters may read beside the keys; an attribute without a value is absent."""
        found: dict[str, object] = {"MediaType": self.media_type}
        if self.virtual_queue is not None:
            found["ThisQueue"] = self.virtual_queue
        return found

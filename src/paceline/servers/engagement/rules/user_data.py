"""User data of an accepted invitation: exactly the six fixed keys, merged over the visitor's (§4.1).

What a browser sends under one of these names is dropped, so that no visitor can forge them.
"""

import msgspec

from paceline.model.events import FILTER_KEYS
from paceline.model.target import comma_list
from paceline.wire.user_data import checked


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a permit said about its target when the invitation was made."""

    target: str
    virtual_queue: str
    media_type: str
    agent_groups: tuple[str, ...]


def proactive_user_data(visitors: msgspec.Raw, facts: Facts, invitation_id: str) -> bytes:
    """The visitor's object with our six keys.

    Raises
    ------
    PacelineError
        `invalid_attribute` when the visitor's is no sound user data object.
    """
    kept: dict[str, object] = {
        key: value for key, value in checked(visitors).items() if key not in FILTER_KEYS
    }
    ours = {
        "Proactive": "1",
        "PacingTarget": facts.target,
        "PacingVirtualQueue": facts.virtual_queue,
        "PacingAgentGroups": comma_list(facts.agent_groups),
        "PacingMediaType": facts.media_type,
        "PacingInvitationId": invitation_id,
    }
    return msgspec.json.encode({**kept, **ours})

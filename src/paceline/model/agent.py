"""An agent's session at an interaction node: media states, what rings and what is handled."""

import msgspec


class Media(msgspec.Struct):
    """An agent's state in one media type."""

    ready: bool
    reason: str | None
    changed_at: int


class Agent(msgspec.Struct):
    """A logged-in agent. `ringing` maps a media type to the interaction offered in it."""

    tenant_id: int
    agent_id: int
    name: str
    session_id: str
    place_id: int | None
    login_at: int
    is_linked: bool = False
    do_not_disturb: bool = False
    media: dict[str, Media] = {}
    ringing: dict[str, str] = {}
    handling: set[str] = set()

    @property
    def key(self) -> tuple[int, int]:
        """Tenant and agent id."""
        return self.tenant_id, self.agent_id

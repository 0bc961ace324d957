"""An agent's session at an interaction node: media states, what rings and what is handled."""

import msgspec

AgentKey = tuple[int, int]
"""Tenant and agent id."""


class Media(msgspec.Struct):
    """An agent's state in one media type. `state` and `calls` are what a telephone system posted."""

    ready: bool
    reason: str | None
    changed_at: int
    state: str = ""
    calls: int = 0
    reason_code: int | None = None


class Agent(msgspec.Struct):
    """A logged-in agent. `ringing` maps a media type to the interaction offered in it.

    `reserved_until` is a machine instant: routers' reservations follow the machine's time.
    """

    tenant_id: int
    agent_id: int
    name: str
    session_id: str
    place_id: int | None
    login_at: int
    is_linked: bool = False
    do_not_disturb: bool = False
    reason: str | None = None
    reserved_by: str | None = None
    reserved_until: int | None = None
    reason_code: int | None = None
    media: dict[str, Media] = {}
    ringing: dict[str, str] = {}
    handling: set[str] = set()

    @property
    def key(self) -> AgentKey:
        """Tenant and agent id."""
        return self.tenant_id, self.agent_id

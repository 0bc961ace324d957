"""Operations of the Interaction Server on agent sessions and their media."""

from paceline.wire.operation import Answer, Done, HttpRoute, Operation, Request, Verb, collect


class Login(Request, frozen=True, kw_only=True):
    """An agent logs in at a place with media types. Each media starts not ready unless `ready`."""

    agent: str
    place: str | None = None
    media: tuple[str, ...] = ()
    ready: bool = False
    reason: str | None = None
    tenant: int | None = None


class AgentRef(Request, frozen=True, kw_only=True):
    """Names an agent."""

    agent: str
    reason: str | None = None
    tenant: int | None = None


class MediaRef(Request, frozen=True, kw_only=True):
    """Names an agent's media type."""

    agent: str
    media: str
    reason: str | None = None
    tenant: int | None = None


class MediaState(Answer, frozen=True, kw_only=True):
    """An agent's state in one media type."""

    media_type: str
    ready: bool
    reason: str | None = None
    changed_at: str


class AgentSession(Answer, frozen=True, kw_only=True):
    """An agent's session and what the agent holds. `is_connected` false: within the grace after a lost link."""

    agent: str
    tenant: int
    place: str | None = None
    session_id: str
    login_at: str
    do_not_disturb: bool = False
    is_connected: bool = True
    media: tuple[MediaState, ...] = ()
    handling: tuple[str, ...] = ()


class AgentPage(Answer, frozen=True, kw_only=True):
    """Logged-in agents by name."""

    items: tuple[AgentSession, ...]
    continuation: str | None = None
    complete: bool = True


class AgentList(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


_A = "/v1/agents/{agent}"
_M = _A + "/media/{media}"
_RIGHT: tuple[str, Verb] = ("agent", "execute")

OPERATIONS = collect(
    (
        Operation(name="agent.login", request=Login, answer=AgentSession, right=_RIGHT, idempotency="by_nature", http=HttpRoute("POST", _A + "/login"), summary="Begins the agent's session, or attaches to the one that exists at the same place."),
        Operation(name="agent.logout", request=AgentRef, answer=Done, right=_RIGHT, idempotency="by_nature", http=HttpRoute("POST", _A + "/logout"), summary="Ends the agent's session; what the agent handled goes back to its queue."),
        Operation(name="agent.list", request=AgentList, answer=AgentPage, right=("agent", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/agents"), summary="Logged-in agents with their media states."),
        Operation(name="media.add", request=MediaRef, answer=AgentSession, right=_RIGHT, http=HttpRoute("POST", _M + "/add"), summary="Adds a media type to the session, not ready."),
        Operation(name="media.remove", request=MediaRef, answer=AgentSession, right=_RIGHT, http=HttpRoute("POST", _M + "/remove"), summary="Removes a media type."),
        Operation(name="media.ready", request=MediaRef, answer=AgentSession, right=_RIGHT, http=HttpRoute("POST", _M + "/ready"), summary="The agent is ready for the media type."),
        Operation(name="media.not_ready", request=MediaRef, answer=AgentSession, right=_RIGHT, http=HttpRoute("POST", _M + "/not-ready"), summary="The agent is not ready for the media type."),
        Operation(name="agent.dnd_on", request=AgentRef, answer=AgentSession, right=_RIGHT, idempotency="by_nature", http=HttpRoute("POST", _A + "/dnd/on"), summary="Do not disturb: nothing is offered in any media type."),
        Operation(name="agent.dnd_off", request=AgentRef, answer=AgentSession, right=_RIGHT, idempotency="by_nature", http=HttpRoute("POST", _A + "/dnd/off"), summary="Ends do not disturb."),
    )
)  # fmt: skip

"""Operations of the Interaction Server on agent sessions, their media, places and reservations.

RequestAgentAvailable / NotAvailable told the other servers of a login at the primary; here a session
lives on one node, in its database, and whoever serves the node knows it, so nothing like them exists.
"""

from typing import Annotated, Literal

import msgspec

from paceline.wire.operation import (
    ALL_CLIENT_KINDS,
    Answer,
    ClientKind,
    Done,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    Verb,
    collect,
)
from paceline.wire.operations.event import Subscribed


class Login(Request, frozen=True, kw_only=True):
    """An agent logs in at a place with media types. Each media starts not ready unless `ready`."""

    agent: str
    place: str | None = None
    media: tuple[str, ...] = ()
    ready: bool = False
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class PlaceLogin(Request, frozen=True, kw_only=True):
    """A place is logged in alone, without an agent; its name then stands wherever an agent is named."""

    place: str
    media: tuple[str, ...] = ()
    ready: bool = False
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class AgentRef(Request, frozen=True, kw_only=True):
    """Names an agent."""

    agent: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class MediaRef(Request, frozen=True, kw_only=True):
    """Names an agent's media type."""

    agent: str
    media: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class MediaState(Answer, frozen=True, kw_only=True):
    """An agent's state in one media type. `state` and `calls` are what a telephone system posted last."""

    media_type: str
    ready: bool
    reason: str | None = None
    reason_code: ReasonCode | None = None
    changed_at: str
    state: str | None = None
    calls: int = 0


class AgentSession(Answer, frozen=True, kw_only=True):
    """An agent's session and what the agent holds. `is_connected` false: within the grace after a lost link.

    `reserved_until` is machine time, as all that concerns reservations.
    """

    agent: str
    tenant: int
    place: str | None = None
    session_id: str
    login_at: str
    do_not_disturb: bool = False
    reason: str | None = None
    reason_code: ReasonCode | None = None
    reserved_until: str | None = None
    is_connected: bool = True
    media: tuple[MediaState, ...] = ()
    handling: tuple[str, ...] = ()


class PostMediaState(Request, frozen=True, kw_only=True):
    """What a telephone system knows of an agent in a medium; a medium not in the session is added.

    `calls` counts against the agent's capacity in the medium; absent: one when busy, else none.
    """

    agent: str
    media: str
    state: Literal["ready", "not_ready", "busy", "after_call_work"]
    reason: str | None = None
    reason_code: ReasonCode | None = None
    calls: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    tenant: int | None = None


class Reserve(Request, frozen=True, kw_only=True):
    """A router reserves an agent for an interaction that it has in routing, so that no other invites the agent.

    Requests that meet within request-collection-time are decided together, the highest `priority`
    wins, the first among equals. `duration_s` 0 cancels; absent: reservation-time.
    """

    agent: str
    interaction_id: str
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    priority: int = 0
    tenant: int | None = None


class Reservation(Answer, frozen=True, kw_only=True):
    """The agent is reserved for the caller until then (machine time); absent: cancelled."""

    agent: str
    reserved_until: str | None = None


class PlaceList(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class PlaceRow(Answer, frozen=True, kw_only=True):
    """A place and the agent who is logged in at it."""

    name: str
    agent: str | None = None
    login_at: str | None = None
    is_connected: bool = False


class PlacePage(Answer, frozen=True, kw_only=True):
    """Places by name."""

    items: tuple[PlaceRow, ...]
    continuation: str | None = None
    complete: bool = True


class WatchAgents(Request, frozen=True, kw_only=True):
    """Place and agent state reporting: of one place, or without one of all agents of the tenant."""

    place: str | None = None
    tenant: int | None = None


class PlaceAgentState(Answer, frozen=True, kw_only=True):
    """EventPlaceAgentState: an agent's session; what the agent handles is told by the events."""

    agent: str
    place: str | None = None
    session_id: str
    do_not_disturb: bool = False
    reason: str | None = None
    reason_code: ReasonCode | None = None
    media: tuple[MediaState, ...] = ()


class PlaceAgentStates(Answer, frozen=True, kw_only=True):
    """Notice of `agent.watch`: the first one, `is_whole`, has every session, later ones what changed."""

    items: tuple[PlaceAgentState, ...] = ()
    gone: tuple[str, ...] = ()
    is_whole: bool = False


class ConnectionClosed(Answer, frozen=True, kw_only=True):
    """Notice: EventAgentConnectionClosed. This client session speaks for the agent no longer."""

    agent: str
    session_id: str
    reason: str


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
_WORKERS = ALL_CLIENT_KINDS - {"reporting", "external_service"}
"""Who acts on agents; a reporting client only looks."""

_ROUTERS: frozenset[ClientKind] = frozenset(("router", "proxy"))

OPERATIONS = collect(
    (
        Operation(name="agent.login", request=Login, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _A + "/login"), summary="Begins the agent's session, or attaches to the one that exists at the same place."),
        Operation(name="agent.logout", request=AgentRef, answer=Done, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _A + "/logout"), summary="Ends the agent's session; what the agent handled goes back to its queue."),
        Operation(name="agent.list", request=AgentList, answer=AgentPage, right=("agent", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/agents"), summary="Logged-in agents with their media states."),
        Operation(name="media.add", request=MediaRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="key", http=HttpRoute("POST", _M + "/add"), summary="Adds a media type to the session, not ready."),
        Operation(name="media.remove", request=MediaRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="key", http=HttpRoute("POST", _M + "/remove"), summary="Removes a media type."),
        Operation(name="media.ready", request=MediaRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="key", http=HttpRoute("POST", _M + "/ready"), summary="The agent is ready for the media type."),
        Operation(name="media.not_ready", request=MediaRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="key", http=HttpRoute("POST", _M + "/not-ready"), summary="The agent is not ready for the media type."),
        Operation(name="agent.dnd_on", request=AgentRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _A + "/dnd/on"), summary="Do not disturb: nothing is offered in any media type."),
        Operation(name="agent.dnd_off", request=AgentRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _A + "/dnd/off"), summary="Ends do not disturb."),
        Operation(name="agent.change_reason", request=AgentRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _A + "/reason"), summary="Changes the agent's own reason; no state changes."),
        Operation(name="media.change_reason", request=MediaRef, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _M + "/reason"), summary="Changes the reason of the media type's state; the state stays."),
        Operation(name="media.set_state", request=PostMediaState, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", http=HttpRoute("POST", _M + "/state"), summary="What a telephone system knows of the agent; counts in capacity."),
        Operation(name="agent.reserve", request=Reserve, answer=Reservation, right=_RIGHT, client_kinds=_ROUTERS, idempotency="key", http=HttpRoute("POST", _A + "/reserve"), summary="Reserves the agent for an interaction in routing; 0 seconds cancel."),
        Operation(name="agent.watch", request=WatchAgents, answer=Subscribed, right=("agent", "read"), stream=True, http=HttpRoute("WS", "/v1/agents/stream"), summary="States of agents at places: all first, then what changes."),
        Operation(name="place.login", request=PlaceLogin, answer=AgentSession, right=_RIGHT, client_kinds=_WORKERS, idempotency="by_nature", since="1.1", http=HttpRoute("POST", "/v1/places/{place}/login"), summary="Begins a session of a place alone, or attaches to the one that exists; agent.logout ends it."),
        Operation(name="place.list", request=PlaceList, answer=PlacePage, right=("agent", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/places"), summary="Places with the agent at each."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {
    "agent.watch": PlaceAgentStates,
    "agent.connection_closed": ConnectionClosed,
}

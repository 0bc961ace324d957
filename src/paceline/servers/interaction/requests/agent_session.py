"""Agent sessions: login at a place, media types and their readiness, do not disturb, lost connections."""

import asyncio
from collections.abc import Callable
from operator import attrgetter

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, Media
from paceline.model.instant import to_text
from paceline.runtime.ids import request_id
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import return_to_queue, tell_agent
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.agent import (
    AgentList,
    AgentPage,
    AgentRef,
    AgentSession,
    Login,
    MediaRef,
    MediaState,
)
from paceline.wire.operations.interaction import Revoked
from paceline.wire.page import page_after

LOST = "agent connection lost"


class AgentRequests:
    """Handlers of all agent and media operations."""

    def __init__(self, lane: NodeLane, on_lost: Callable[[tuple[int, int], str], None]) -> None:
        self._lane = lane
        self._on_lost = on_lost

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "agent.login": self.login,
            "agent.logout": self.logout,
            "agent.list": self.list,
            "agent.dnd_on": lambda call, request: self._disturb(call, request, is_on=True),
            "agent.dnd_off": lambda call, request: self._disturb(call, request, is_on=False),
            "media.add": self.add_media,
            "media.remove": self.remove_media,
            "media.ready": lambda call, request: self._ready(call, request, is_ready=True),
            "media.not_ready": lambda call, request: self._ready(call, request, is_ready=False),
        }

    def login(self, call: Call, request: Login) -> "asyncio.Future[AgentSession]":
        """Begins a session; at the same place it attaches to the one that exists."""
        tenant = call.tenant_of(request.tenant)
        actor = actor_of(call)
        peer = call.peer

        def apply(node: NodeState) -> AgentSession:
            agent_id = node.agent_id(tenant, request.agent)
            place_id = _place_id(node, tenant, request.place)
            agent = node.agents.get((tenant, agent_id))
            if agent is not None and request.place is not None and agent.place_id != place_id:
                where = node.names.get(agent.place_id or 0, "no place")
                raise PacelineError(
                    "agent_elsewhere",
                    f"agent '{request.agent}' is logged in at {where}",
                    field="place",
                )
            if agent is None:
                agent = _new_session(
                    node, tenant, agent_id, request, place_id, actor, peer is not None
                )
            for media in request.media:
                if media not in agent.media:
                    _add_media(node, agent, media, actor)
                if request.ready and not agent.media[media].ready:
                    _set_ready(node, agent, media, actor, is_ready=True, reason=None)
            if peer is not None:
                agent.is_linked = True
                if node.links.attach(agent.key, peer):
                    key = agent.key
                    peer.on_close(lambda: self._detached(key, peer.session_id))
            node.change_agent(agent)
            return session_of(node, agent)

        return self._lane.submit(call, Work(apply))

    def logout(self, call: Call, request: AgentRef) -> "asyncio.Future[Done]":
        """Ends the session; not logged in is fine."""
        tenant = call.tenant_of(request.tenant)
        actor = actor_of(call)
        return self._lane.submit(
            call, self.logout_work(tenant, request.agent, actor, request.reason or "logout")
        )

    def logout_work(self, tenant: int, name: str, actor: str, reason: str) -> Work:
        """Work that logs an agent out; what the agent has goes back to its queue."""
        agent = _session_named(self._lane.node, tenant, name)
        keys = tuple((tenant, i) for i in _interactions_of(agent)) if agent else ()

        def apply(node: NodeState) -> Done:
            current = _session_named(node, tenant, name)
            if current is not None:
                end_session(node, current, actor, reason, set(keys))
            else:
                node.agent_id(tenant, name)  # refuses a name that nobody has
            return Done()

        return Work(apply, keys=keys)

    async def list(self, call: Call, request: AgentList) -> AgentPage:
        """Logged-in agents by name, page by page."""
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        by_name = attrgetter("name")
        agents = sorted((a for a in node.agents.values() if a.tenant_id == tenant), key=by_name)
        page, continuation = page_after(agents, request.continuation, request.limit, by_name)
        return AgentPage(
            items=tuple(session_of(node, agent) for agent in page),
            continuation=continuation,
            complete=continuation is None,
        )

    def add_media(self, call: Call, request: MediaRef) -> "asyncio.Future[AgentSession]":
        """Adds a media type, not ready."""
        actor = actor_of(call)

        def apply(node: NodeState) -> AgentSession:
            agent = node.logged_in(call.tenant_of(request.tenant), request.agent)
            if request.media in agent.media:
                raise PacelineError(
                    "media_already_added",
                    f"agent '{agent.name}' has {request.media}",
                    field="media",
                )
            _add_media(node, agent, request.media, actor)
            node.change_agent(agent)
            return session_of(node, agent)

        return self._lane.submit(call, Work(apply))

    def remove_media(self, call: Call, request: MediaRef) -> "asyncio.Future[AgentSession]":
        """Removes a media type; what the agent handles in it stays with the agent."""
        actor = actor_of(call)

        def apply(node: NodeState) -> AgentSession:
            agent = node.logged_in(call.tenant_of(request.tenant), request.agent)
            _media_of(agent, request.media)
            del agent.media[request.media]
            _agent_event(
                node, events.MEDIA_REMOVED, agent, actor, request.reason, media_type=request.media
            )
            node.change_agent(agent)
            return session_of(node, agent)

        return self._lane.submit(call, Work(apply))

    def _ready(
        self, call: Call, request: MediaRef, *, is_ready: bool
    ) -> "asyncio.Future[AgentSession]":
        actor = actor_of(call)

        def apply(node: NodeState) -> AgentSession:
            agent = node.logged_in(call.tenant_of(request.tenant), request.agent)
            media = _media_of(agent, request.media)
            if media.ready == is_ready:
                word = "ready" if is_ready else "not ready"
                raise PacelineError(
                    "already_ready" if is_ready else "already_not_ready",
                    f"agent '{agent.name}' is {word} for {request.media} already",
                    field="media",
                )
            _set_ready(node, agent, request.media, actor, is_ready=is_ready, reason=request.reason)
            node.change_agent(agent)
            return session_of(node, agent)

        return self._lane.submit(call, Work(apply))

    def _disturb(
        self, call: Call, request: AgentRef, *, is_on: bool
    ) -> "asyncio.Future[AgentSession]":
        actor = actor_of(call)

        def apply(node: NodeState) -> AgentSession:
            agent = node.logged_in(call.tenant_of(request.tenant), request.agent)
            if agent.do_not_disturb != is_on:
                agent.do_not_disturb = is_on
                name = events.DO_NOT_DISTURB_ON if is_on else events.DO_NOT_DISTURB_OFF
                _agent_event(node, name, agent, actor, request.reason)
                node.change_agent(agent)
            return session_of(node, agent)

        return self._lane.submit(call, Work(apply))

    def _detached(self, key: tuple[int, int], session_id: str) -> None:
        if self._lane.node.links.detach(key, session_id):
            agent = self._lane.node.agents.get(key)
            if agent is not None:
                self._on_lost(key, agent.session_id)


def session_of(node: NodeState, agent: Agent) -> AgentSession:
    """A session as clients see it."""
    return AgentSession(
        agent=agent.name,
        tenant=agent.tenant_id,
        place=node.names.get(agent.place_id or 0),
        session_id=agent.session_id,
        login_at=to_text(agent.login_at),
        do_not_disturb=agent.do_not_disturb,
        is_connected=not agent.is_linked or node.links.is_attached(agent.key),
        media=tuple(
            MediaState(
                media_type=name, ready=m.ready, reason=m.reason, changed_at=to_text(m.changed_at)
            )
            for name, m in agent.media.items()
        ),
        handling=tuple(sorted(agent.handling)),
    )


def end_session(
    node: NodeState, agent: Agent, actor: str, reason: str, loaded: set[tuple[int, str]]
) -> None:
    """Logs an agent out; `loaded` are the interactions in memory, what came since is returned later."""
    for interaction_id in _interactions_of(agent):
        key = (agent.tenant_id, interaction_id)
        if key not in loaded:
            raise PacelineError(
                "operation_in_progress", "the agent is just taking another interaction"
            )
    for interaction_id in _interactions_of(agent):
        row = node.row((agent.tenant_id, interaction_id))
        if not row.ticket:
            notice = Revoked(interaction_id=interaction_id, agent=agent.name, reason=reason)
            tell_agent(node, row, "interaction.revoked", notice)
            node.event(
                events.REVOKED,
                actor,
                row=row,
                agent=agent.name,
                place=node.names.get(agent.place_id or 0),
                reason=reason,
                data={"ticket": 0},
            )
        return_to_queue(node, row, actor, reason)
    for media in tuple(agent.media):
        del agent.media[media]
        _agent_event(node, events.MEDIA_REMOVED, agent, actor, reason, media_type=media)
    _agent_event(node, events.AGENT_LOGOUT, agent, actor, reason, session_id=agent.session_id)
    node.remove_agent(agent)


def _session_named(node: NodeState, tenant: int, name: str) -> Agent | None:
    """The session of an agent; also of one who was renamed, disabled or deleted meanwhile."""
    found = node.snapshot.agents.get((tenant, name))
    if found is not None:
        return node.agents.get((tenant, found[0]))
    return next((a for a in node.agents.values() if a.tenant_id == tenant and a.name == name), None)


def _interactions_of(agent: Agent) -> tuple[str, ...]:
    return (*sorted(agent.handling), *agent.ringing.values())


def _place_id(node: NodeState, tenant: int, name: str | None) -> int | None:
    if name is None:
        return None
    place_id = node.snapshot.places.get((tenant, name))
    if place_id is None:
        raise PacelineError("invalid_attribute", f"place '{name}' does not exist", field="place")
    return place_id


def _new_session(
    node: NodeState,
    tenant: int,
    agent_id: int,
    request: Login,
    place_id: int | None,
    actor: str,
    is_linked: bool,
) -> Agent:
    if place_id is not None:
        others = [
            a for a in node.agents.values() if a.tenant_id == tenant and a.place_id == place_id
        ]
        if others:
            raise PacelineError(
                "place_occupied",
                f"agent '{others[0].name}' is logged in at '{request.place}'",
                field="place",
            )
    agent = Agent(
        tenant_id=tenant,
        agent_id=agent_id,
        name=request.agent,
        session_id=str(request_id()),
        place_id=place_id,
        login_at=node.now,
        is_linked=is_linked,
    )
    _agent_event(
        node, events.AGENT_LOGIN, agent, actor, request.reason, session_id=agent.session_id
    )
    return agent


def _add_media(node: NodeState, agent: Agent, media: str, actor: str) -> None:
    agent.media[media] = Media(ready=False, reason=None, changed_at=node.now)
    _agent_event(node, events.MEDIA_ADDED, agent, actor, None, media_type=media)


def _set_ready(
    node: NodeState, agent: Agent, media: str, actor: str, *, is_ready: bool, reason: str | None
) -> None:
    agent.media[media] = Media(ready=is_ready, reason=reason, changed_at=node.now)
    name = events.READY_FOR_MEDIA if is_ready else events.NOT_READY_FOR_MEDIA
    _agent_event(node, name, agent, actor, reason, media_type=media)


def _media_of(agent: Agent, media: str) -> Media:
    found = agent.media.get(media)
    if found is None:
        raise PacelineError(
            "media_not_logged_in",
            f"agent '{agent.name}' is not logged in with {media}",
            field="media",
        )
    return found


def _agent_event(
    node: NodeState, name: str, agent: Agent, actor: str, reason: str | None, **data: object
) -> None:
    node.event(
        name,
        actor,
        tenant=agent.tenant_id,
        agent=agent.name,
        place=node.names.get(agent.place_id or 0),
        reason=reason,
        data=data,
    )

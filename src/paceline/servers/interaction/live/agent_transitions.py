"""Transitions of agent sessions that several requests and timers share, each with its events and notices.

Every function changes the node's state of the batch in work; the caller has checked that it may.
"""

from functools import partial

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, AgentKey, Media
from paceline.model.instant import optional_text, to_text
from paceline.model.interaction import Row
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import give_up, tell_agent
from paceline.wire.call import Peer
from paceline.wire.operations.agent import AgentSession, ConnectionClosed, MediaState
from paceline.wire.operations.interaction import Revoked

UNANSWERED = "invitation not answered"
"""Reason of not ready after an offer's timeout (option not-ready-on-invitation-timeout)."""


def agent_event(
    node: NodeState, name: str, agent: Agent, actor: str, reason: str | None, **data: object
) -> None:
    """A reporting event of an agent."""
    node.event(
        name,
        actor,
        tenant=agent.tenant_id,
        agent=agent.name,
        place=node.names.get(agent.place_id or 0),
        reason=reason,
        data=data,
    )


def session_of(node: NodeState, agent: Agent) -> AgentSession:
    """A session as clients see it."""
    is_reserved = reserved_by(node, agent) is not None
    return AgentSession(
        agent=agent.name,
        tenant=agent.tenant_id,
        place=node.names.get(agent.place_id or 0),
        session_id=agent.session_id,
        login_at=to_text(agent.login_at),
        do_not_disturb=agent.do_not_disturb,
        reason=agent.reason,
        reason_code=agent.reason_code,
        is_connected=not is_in_grace(node, agent),
        reserved_until=optional_text(agent.reserved_until) if is_reserved else None,
        media=tuple(media_state(name, media) for name, media in agent.media.items()),
        handling=tuple(sorted(agent.handling)),
    )


def media_state(name: str, media: Media) -> MediaState:
    """A media type's state as clients see it."""
    return MediaState(
        media_type=name,
        ready=media.ready,
        reason=media.reason,
        reason_code=media.reason_code,
        changed_at=to_text(media.changed_at),
        state=media.state or None,
        calls=media.calls,
    )


def is_in_grace(node: NodeState, agent: Agent) -> bool:
    """Whether the agent's last connection was lost and the logout is pending."""
    return agent.is_linked and not node.links.is_attached(agent.key)


def check_reachable(node: NodeState, agent: Agent, *, field: str = "agent") -> None:
    """Refuses an agent whom no offer can reach now.

    Raises
    ------
    PacelineError
        `invalid_target` within the grace of a lost connection.
    """
    if is_in_grace(node, agent):
        raise PacelineError(
            "invalid_target", f"the connection of agent '{agent.name}' is lost", field=field
        )


def reserved_by(node: NodeState, agent: Agent) -> str | None:
    """The router that has reserved the agent, None when the reservation is over."""
    until = agent.reserved_until
    return agent.reserved_by if until is not None and until > node.times.machine.now() else None


def check_reservation(node: NodeState, agent: Agent, router: str) -> None:
    """Refuses a router other than the one that has reserved the agent.

    Raises
    ------
    PacelineError
        `agent_busy` with the time that is left.
    """
    holder = reserved_by(node, agent)
    if holder is not None and holder != router:
        raise _reserved(node, agent, holder)


def _reserved(node: NodeState, agent: Agent, holder: str) -> PacelineError:
    left_ms = (agent.reserved_until or 0) - node.times.machine.now()
    return PacelineError(
        "agent_busy",
        f"agent '{agent.name}' is reserved by '{holder}'",
        field="agent",
        retry_after_s=max(0.001, left_ms / 1000),
    )


def reserve(
    node: NodeState, agent: Agent, router: str, duration_ms: int, *, may_prolong: bool
) -> None:
    """Reserves the agent for a router.

    Raises
    ------
    PacelineError
        `agent_busy` when it is reserved, by another or, unless `may_prolong`, by this router.
    """
    holder = reserved_by(node, agent)
    if holder is not None and (holder != router or not may_prolong):
        raise _reserved(node, agent, holder)
    agent.reserved_by = router
    agent.reserved_until = node.times.machine.now() + duration_ms
    node.change_agent(agent)


def end_reservation(node: NodeState, agent: Agent) -> None:
    """The reservation has served its purpose or is cancelled."""
    if agent.reserved_by is not None:
        agent.reserved_by = agent.reserved_until = None
        node.change_agent(agent)


def add_media(node: NodeState, agent: Agent, media: str, actor: str) -> None:
    """A further media type, not ready."""
    agent.media[media] = Media(ready=False, reason=None, changed_at=node.now)
    agent_event(node, events.MEDIA_ADDED, agent, actor, None, media_type=media)


def set_ready(
    node: NodeState, agent: Agent, media: str, actor: str, *, is_ready: bool, reason: str | None
) -> None:
    """Ready or not ready for a media type; calls that go on are not forgotten."""
    calls = agent.media[media].calls
    code = node.code_of(reason)
    agent.media[media] = Media(is_ready, reason, node.now, calls=calls, reason_code=code)
    name = events.READY_FOR_MEDIA if is_ready else events.NOT_READY_FOR_MEDIA
    agent_event(node, name, agent, actor, reason, media_type=media)


def not_ready_unanswered(node: NodeState, row: Row) -> None:
    """The agent invited to `row` let the offer time out and is set not ready, with the reason."""
    agent = node.agents.get((row.tenant_id, row.agent_id or 0))
    media = agent.media.get(row.media_type) if agent is not None else None
    if agent is not None and media is not None and media.ready:
        set_ready(node, agent, row.media_type, "server", is_ready=False, reason=UNANSWERED)
        node.change_agent(agent)


def close_connections(node: NodeState, agent: Agent, peers: tuple[Peer, ...], reason: str) -> None:
    """These client sessions speak for the agent no longer and are told so."""
    notice = ConnectionClosed(agent=agent.name, session_id=agent.session_id, reason=reason)
    for peer in peers:
        node.detach(agent.key, peer)
        node.after_commit(partial(peer.notify, "agent.connection_closed", notice))


def interactions_of(agent: Agent) -> tuple[str, ...]:
    """What the agent handles, and what rings."""
    return (*sorted(agent.handling), *agent.ringing.values())


def keys_of(agent: Agent | None) -> tuple[tuple[int, str], ...]:
    """Keys of the interactions that a logout gives back."""
    return () if agent is None else tuple((agent.tenant_id, i) for i in interactions_of(agent))


def end_session(
    node: NodeState, agent: Agent, actor: str, reason: str, loaded: set[tuple[int, str]]
) -> None:
    """Logs an agent out; `loaded` are the interactions in memory, what came since is returned later.

    Raises
    ------
    PacelineError
        `operation_in_progress` when the agent has more than was loaded; nothing has changed.
    """
    if not loaded.issuperset(keys_of(agent)):
        raise PacelineError(
            "operation_in_progress",
            "the agent is just taking another interaction",
            retry_after_s=0.1,
        )
    for key in keys_of(agent):
        _take_back(node, agent, node.row(key), actor, reason)
    for media in tuple(agent.media):
        del agent.media[media]
        agent_event(node, events.MEDIA_REMOVED, agent, actor, reason, media_type=media)
    agent_event(node, events.AGENT_LOGOUT, agent, actor, reason, session_id=agent.session_id)
    node.remove_agent(agent)


def _take_back(node: NodeState, agent: Agent, row: Row, actor: str, reason: str) -> None:
    if not row.ticket and row.agent_id == agent.agent_id:
        notice = Revoked(
            interaction_id=row.interaction_id,
            agent=agent.name,
            reason=reason,
            reason_code=node.code_of(reason),
        )
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
    give_up(node, row, agent, actor, reason)


def session_named(node: NodeState, tenant: int, name: str) -> Agent | None:
    """The session of an agent; also of one who was renamed, disabled or deleted meanwhile."""
    found = node.snapshot.agents.get((tenant, name))
    if found is not None:
        return node.agents.get((tenant, found[0]))
    return next((a for a in node.agents.values() if a.tenant_id == tenant and a.name == name), None)


def agents_at(node: NodeState, tenant: int, place_id: int, but: AgentKey | None) -> list[Agent]:
    """Agents logged in at a place, other than this one."""
    return [
        agent
        for agent in node.agents.values()
        if agent.tenant_id == tenant and agent.place_id == place_id and agent.key != but
    ]


def agent_asked(
    node: NodeState,
    tenant: int,
    name: str | None,
    place: str | None,
    *,
    fields: tuple[str, str],
    but: AgentKey | None = None,
) -> str:
    """The name of the agent whom a request asks for, by name, by place or by both.

    `fields`: what the request calls the two. `but`: who asks.

    Raises
    ------
    PacelineError
        invalid_attribute: neither is given, or there is no such place; invalid_target: nobody, or
        somebody else, is logged in there.
    """
    if place is None:
        if name is None:
            raise PacelineError("invalid_attribute", "name the agent or its place", field=fields[0])
        return name
    place_id = node.snapshot.places.get((tenant, place))
    if place_id is None:
        raise PacelineError("invalid_attribute", f"place '{place}' does not exist", field=fields[1])
    there = [each.name for each in agents_at(node, tenant, place_id, but)]
    if not there or name not in (None, *there):
        who = "an agent to be asked" if name is None else f"agent '{name}'"
        raise PacelineError(
            "invalid_target", f"{who} is not logged in at place '{place}'", field=fields[1]
        )
    return name or there[0]

"""Agent sessions: login at a place, who speaks for the agent, logout, and a lost connection's end."""

import asyncio
from collections.abc import Callable
from functools import partial

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, AgentKey
from paceline.runtime.ids import request_id
from paceline.runtime.log import get_log
from paceline.servers.interaction.live.agent_transitions import (
    add_media,
    agent_event,
    agents_at,
    close_connections,
    end_session,
    is_in_grace,
    keys_of,
    session_named,
    session_of,
    set_ready,
)
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.invites import outstanding
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane, actor_of, coded
from paceline.servers.interaction.rules.seats import seat_limit
from paceline.wire.access import is_bound_agent
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operation import Done
from paceline.wire.operations.agent import AgentRef, AgentSession, Login, PlaceLogin

LOST = "agent connection lost"
NEW_CLIENT = "agent logs in as a new client"

CLOSING_NUMBER = 22017
"""Documented number of the line "closing connection: agent logs in as a new client"."""

OnLost = Callable[[Peer, list[AgentKey]], None]
"""Told of a closed link and of the agents whose last connection it was."""

_log = get_log("interaction.agents")


class AgentRequests:
    """Handlers of login and logout."""

    def __init__(self, lane: NodeLane, on_lost: OnLost) -> None:
        self._lane = lane
        self._on_lost = on_lost

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "agent.login": self.login,
            "agent.logout": self.logout,
            "place.login": self.login_of_place,
        }

    def login(self, call: Call, request: Login) -> "asyncio.Future[AgentSession]":
        """Begins a session; at the same place it attaches to the one that exists."""
        tenant = call.tenant_of(request.tenant)
        return self._login(
            call,
            request,
            request.agent,
            lambda node: (tenant, node.agent_id(tenant, request.agent)),
        )

    def login_of_place(self, call: Call, request: PlaceLogin) -> "asyncio.Future[AgentSession]":
        """Begins a session of a place without an agent; the place's name stands for the agent's."""
        if is_bound_agent(call.principal):
            raise PacelineError(
                "not_allowed", "an agent logs in itself, at the place if it likes", field="place"
            )
        tenant = call.tenant_of(request.tenant)

        def key(node: NodeState) -> AgentKey:
            if (tenant, request.place) in node.snapshot.agents:
                raise PacelineError(
                    "invalid_attribute",
                    f"'{request.place}' is an agent too; log the agent in",
                    field="place",
                )
            return tenant, _place_named(node, tenant, request.place)

        return self._login(call, request, request.place, key)

    def _login(
        self,
        call: Call,
        request: Login | PlaceLogin,
        name: str,
        key_of: Callable[[NodeState], AgentKey],
    ) -> "asyncio.Future[AgentSession]":
        tenant = call.tenant_of(request.tenant)
        actor = actor_of(call)
        peer = call.peer
        keys = keys_of(session_named(self._lane.node, tenant, name))

        def apply(node: NodeState) -> AgentSession:
            key = key_of(node)
            place_id = self._place_id(node, key, request.place)
            agent = node.agents.get(key)
            is_new = agent is None or self._is_elsewhere(node, agent, request, place_id)
            if agent is not None and not is_new:
                self._check_connections(node, agent, request, peer)
            elif place_id is not None:
                self._check_place(node, key, place_id)
            if agent is None:
                self._check_seats(node)
            if agent is not None and is_new:
                peers = node.links.peers(key)
                end_session(node, agent, actor, NEW_CLIENT, set(keys))
                self._close(node, agent, peers)
            if agent is None or is_new:
                agent = _new_session(node, key, name, request.reason, place_id, actor)
            for media in dict.fromkeys(request.media):
                if media not in agent.media:
                    add_media(node, agent, media, actor)
                if request.ready and not agent.media[media].ready:
                    set_ready(node, agent, media, actor, is_ready=True, reason=None)
            self._attach(node, agent, peer, frozenset(keys))
            node.links.active(key, node.now)
            node.change_agent(agent)
            return session_of(node, agent)

        work = Work(apply, keys=keys, reads_data=True, reason=coded(request))
        return self._lane.submit(call, work)

    def logout(self, call: Call, request: AgentRef) -> "asyncio.Future[Done]":
        """Ends the session; not logged in is fine."""
        tenant = call.tenant_of(request.tenant)
        actor = actor_of(call)
        keys = keys_of(session_named(self._lane.node, tenant, request.agent))

        def apply(node: NodeState) -> Done:
            current = session_named(node, tenant, request.agent)
            if current is not None:
                end_session(node, current, actor, request.reason or "logout", set(keys))
            else:
                node.agent_id(tenant, request.agent)  # refuses a name that nobody has
            return Done()

        return self._lane.submit(call, Work(apply, keys=keys, reason=coded(request)))

    # --- what a login needs ---------------------------------------------------------------------

    @property
    def _is_forced(self) -> bool:
        return self._connections_option == "force-logout"

    @property
    def _connections_option(self) -> str:
        return self._lane.settings.current.text("settings", "allow-multiple-agent-connections")

    @property
    def _ignores_place(self) -> bool:
        return self._lane.settings.current.text("settings", "agent-login-control") == "ignore"

    def _place_id(self, node: NodeState, key: AgentKey, name: str | None) -> int | None:
        """The place's id; the agent's own id stands for the place that is named as the agent."""
        if self._ignores_place:
            return key[1]
        if name is None:
            return None
        return _place_named(node, key[0], name)

    def _is_elsewhere(
        self, node: NodeState, agent: Agent, request: Login | PlaceLogin, place_id: int | None
    ) -> bool:
        """Whether the session is at another place and makes room for this login.

        Raises
        ------
        PacelineError
            `agent_elsewhere` when it does not make room.
        """
        if request.place is None or self._ignores_place or agent.place_id == place_id:
            return False
        if self._is_forced:
            return True
        where = node.names.get(agent.place_id or 0, "no place")
        raise PacelineError(
            "agent_elsewhere", f"agent '{agent.name}' is logged in at {where}", field="place"
        )

    def _check_connections(
        self, node: NodeState, agent: Agent, request: Login | PlaceLogin, peer: Peer | None
    ) -> None:
        if peer is None or self._connections_option != "false":
            return
        if any(other.session_id != peer.session_id for other in node.links.peers(agent.key)):
            is_place = isinstance(request, PlaceLogin)
            raise PacelineError(
                "place_occupied" if is_place else "agent_elsewhere",
                f"'{agent.name}' is logged in over another connection, and "
                "allow-multiple-agent-connections is false",
                field="place" if is_place else "agent",
            )

    def _check_place(self, node: NodeState, key: AgentKey, place_id: int) -> None:
        others = agents_at(node, key[0], place_id, key)
        if not others:
            return
        other, place = others[0], node.names.get(place_id)
        if is_in_grace(node, other):
            raise PacelineError(
                "place_in_logout",
                f"'{other.name}' at '{place}' has lost the connection and is being logged out",
                field="place",
                retry_after_s=self._lane.settings.current.seconds("settings", "mass-logout-grace"),
            )
        raise PacelineError(
            "place_occupied", f"'{other.name}' is logged in at '{place}'", field="place"
        )

    def _check_seats(self, node: NodeState) -> None:
        current = self._lane.settings.current
        limit = seat_limit(
            (current.integer("seats", "ics_multi_media_agent_seat"),),
            current.integer("seats", "pool"),
            current.text("seats", "mode"),
        )
        if limit is not None and len(node.agents) >= limit:
            raise PacelineError(
                "limit_reached",
                f"all {limit} seats are taken; raise them in section seats or wait for a logout",
                field="agent",
            )

    # --- connections ----------------------------------------------------------------------------

    def _attach(
        self,
        node: NodeState,
        agent: Agent,
        peer: Peer | None,
        loaded: frozenset[tuple[int, str]],
    ) -> None:
        """The caller's session speaks for the agent from now on; with force-logout it alone.

        It is told of what rings at the agent: an offer made before would else end unanswered.
        Over plain HTTP nobody speaks for it: who comes back that way is in no grace any more.
        """
        if peer is None:
            agent.is_linked = node.links.is_attached(agent.key)
            return
        if self._is_forced:
            earlier = node.links.peers(agent.key)
            self._close(node, agent, tuple(p for p in earlier if p.session_id != peer.session_id))
        agent.is_linked = True
        if all(known is not peer for known in node.links.peers(agent.key)):
            for invite in outstanding(node, agent, loaded):
                node.after_commit(partial(peer.notify, "interaction.invite", invite))
        node.attach(agent.key, peer)
        node.after_commit(lambda: self._watch(peer))

    def _close(self, node: NodeState, agent: Agent, peers: tuple[Peer, ...]) -> None:
        close_connections(node, agent, peers, NEW_CLIENT)
        for peer in peers:
            fields = {"agent": agent.name, "client": peer.client, "session": peer.session_id}
            node.after_commit(
                partial(
                    _log.standard, f"closing connection: {NEW_CLIENT}", CLOSING_NUMBER, **fields
                )
            )

    def _watch(self, peer: Peer) -> None:
        if self._lane.node.links.watch(peer.session_id):
            peer.on_close(lambda: self._closed(peer))

    def _closed(self, peer: Peer) -> None:
        left_alone = self._lane.node.links.close(peer.session_id)
        if left_alone:
            self._on_lost(peer, left_alone)


def ending(
    node: NodeState, key: AgentKey, reason: str, is_due: Callable[[NodeState, Agent], bool]
) -> Work:
    """Work that ends a session by the node's own decision.

    `is_due` is asked when the work is done: the agent may be back, and what is in memory now may
    come from a batch that failed.
    """
    keys = keys_of(node.agents.get(key))

    def apply(node: NodeState) -> None:
        current = node.agents.get(key)
        if current is not None and is_due(node, current):
            end_session(node, current, "server", reason, set(keys))

    return Work(apply, keys=keys)


def _place_named(node: NodeState, tenant: int, name: str) -> int:
    place_id = node.snapshot.places.get((tenant, name))
    if place_id is None:
        raise PacelineError("invalid_attribute", f"place '{name}' does not exist", field="place")
    return place_id


def _new_session(
    node: NodeState,
    key: AgentKey,
    name: str,
    reason: str | None,
    place_id: int | None,
    actor: str,
) -> Agent:
    agent = Agent(
        tenant_id=key[0],
        agent_id=key[1],
        name=name,
        session_id=str(request_id()),
        place_id=place_id,
        login_at=node.now,
    )
    agent_event(node, events.AGENT_LOGIN, agent, actor, reason, session_id=agent.session_id)
    return agent

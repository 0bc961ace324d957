"""Agents and places as others see them: lists, and the stream of place and agent states.

All of it is read in the lane's turn: only there is what is in memory what the database holds.
"""

import asyncio
from collections.abc import Iterable
from operator import attrgetter

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.agent import Agent, AgentKey
from paceline.model.instant import to_text
from paceline.runtime.log import get_log
from paceline.servers.interaction.live.agent_transitions import (
    is_in_grace,
    media_state,
    session_of,
)
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operations.agent import (
    AgentList,
    AgentPage,
    PlaceAgentState,
    PlaceAgentStates,
    PlaceList,
    PlacePage,
    PlaceRow,
    WatchAgents,
)
from paceline.wire.operations.event import Subscribed
from paceline.wire.page import page_after

ALL_PLACES_NUMBER, STOPPED_NUMBER, ONE_PLACE_NUMBER = 26401, 26402, 26403
"""Documented numbers of the lines on place and agent state reporting."""

_log = get_log("interaction.agents")


class _Watcher(msgspec.Struct, eq=False):
    peer: Peer
    tenant: int
    place_id: int | None
    number: int = 0
    shown: dict[AgentKey, str] = {}


class AgentListRequests:
    """Handlers of agent.list, place.list and agent.watch."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane
        self._node = lane.node
        self._watchers: list[_Watcher] = []
        lane.node.on_agents_changed = self._changed

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "agent.list": self.agents,
            "place.list": self.places,
            "agent.watch": self.watch,
        }

    def agents(self, call: Call, request: AgentList) -> "asyncio.Future[AgentPage]":
        """Logged-in agents by name, page by page."""
        tenant = call.tenant_of(request.tenant)

        def apply(node: NodeState) -> AgentPage:
            page, continuation = page_after(
                _agents_of(node, tenant), request.continuation, request.limit, attrgetter("name")
            )
            return AgentPage(
                items=tuple(session_of(node, agent) for agent in page),
                continuation=continuation,
                complete=continuation is None,
            )

        return self._lane.submit(call, Work(apply))

    def places(self, call: Call, request: PlaceList) -> "asyncio.Future[PlacePage]":
        """Places by name, each with the agent at it."""
        tenant = call.tenant_of(request.tenant)

        def apply(node: NodeState) -> PlacePage:
            agent_at = {agent.place_id: agent for agent in _agents_of(node, tenant)}
            rows = [
                _place_row(node, name, agent_at.get(place_id))
                for (of, name), place_id in sorted(node.snapshot.places.items())
                if of == tenant
            ]
            page, continuation = page_after(
                rows, request.continuation, request.limit, attrgetter("name")
            )
            return PlacePage(
                items=tuple(page), continuation=continuation, complete=continuation is None
            )

        return self._lane.submit(call, Work(apply))

    async def watch(self, call: Call, request: WatchAgents) -> Subscribed:
        """Every session as it is now, then each change after its commit."""
        peer = call.needs_peer("agent.watch")
        tenant = call.tenant_of(request.tenant)
        watcher = _Watcher(peer, tenant, self._place_id(tenant, request.place))
        # The next batch begins after those who were answered have spoken (storage.lane).
        await self._lane.submit(call, Work(lambda _: None))
        watcher.number = peer.open_subscription(lambda: self._end(watcher))
        self._watchers.append(watcher)
        if request.place is None:
            _log.standard("reporting of all places on", ALL_PLACES_NUMBER, client=peer.client)
        else:
            _log.standard(
                "reporting of a place on", ONE_PLACE_NUMBER, client=peer.client, place=request.place
            )
        self._tell(watcher, (a.key for a in _agents_of(self._node, tenant)), is_whole=True)
        return Subscribed(subscription=watcher.number)

    # --- the stream -----------------------------------------------------------------------------

    def _place_id(self, tenant: int, name: str | None) -> int | None:
        if name is None:
            return None
        place_id = self._node.snapshot.places.get((tenant, name))
        if place_id is None:
            raise PacelineError(
                "invalid_attribute", f"place '{name}' does not exist", field="place"
            )
        return place_id

    def _changed(self, keys: set[AgentKey]) -> None:
        for watcher in tuple(self._watchers):
            self._tell(watcher, sorted(keys), is_whole=False)

    def _tell(self, watcher: _Watcher, keys: Iterable[AgentKey], *, is_whole: bool) -> None:
        items: list[PlaceAgentState] = []
        gone: list[str] = []
        for key in keys:
            if key[0] != watcher.tenant:
                continue
            agent = self._node.agents.get(key)
            if agent is not None and watcher.place_id in (None, agent.place_id):
                watcher.shown[key] = agent.name
                items.append(_state_of(self._node, agent))
            elif key in watcher.shown:
                gone.append(watcher.shown.pop(key))
        if items or gone or is_whole:
            states = PlaceAgentStates(items=tuple(items), gone=tuple(gone), is_whole=is_whole)
            watcher.peer.notify("agent.watch", states, subscription=watcher.number)

    def _end(self, watcher: _Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            _log.standard("reporting of places off", STOPPED_NUMBER, client=watcher.peer.client)


def _agents_of(node: NodeState, tenant: int) -> list[Agent]:
    agents = (agent for agent in node.agents.values() if agent.tenant_id == tenant)
    return sorted(agents, key=attrgetter("name"))


def _place_row(node: NodeState, name: str, agent: Agent | None) -> PlaceRow:
    if agent is None:
        return PlaceRow(name=name)
    return PlaceRow(
        name=name,
        agent=agent.name,
        login_at=to_text(agent.login_at),
        is_connected=not is_in_grace(node, agent),
    )


def _state_of(node: NodeState, agent: Agent) -> PlaceAgentState:
    return PlaceAgentState(
        agent=agent.name,
        place=node.names.get(agent.place_id or 0),
        session_id=agent.session_id,
        do_not_disturb=agent.do_not_disturb,
        reason=agent.reason,
        reason_code=agent.reason_code,
        media=tuple(media_state(name, media) for name, media in agent.media.items()),
    )

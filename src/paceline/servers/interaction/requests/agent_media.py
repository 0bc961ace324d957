"""Media of agent sessions and their readiness, with reasons; a telephone system's word; do not disturb."""

import asyncio
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, Media
from paceline.servers.interaction.live.agent_transitions import (
    add_media,
    agent_event,
    session_of,
    set_ready,
)
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.requests.once import submit_once
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.agent import AgentRef, AgentSession, MediaRef, PostMediaState

Change = Callable[[NodeState, Agent, str], bool]
"""What a request does to a session, told who acts; True when it changed anything."""


class AgentMediaRequests:
    """Handlers of the media operations, of do not disturb and of reasons."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "agent.dnd_on": partial(self._disturb, "agent.dnd_on"),
            "agent.dnd_off": partial(self._disturb, "agent.dnd_off"),
            "agent.change_reason": self.change_agent_reason,
            "media.add": self.add,
            "media.remove": self.remove,
            "media.ready": partial(self._ready, "media.ready"),
            "media.not_ready": partial(self._ready, "media.not_ready"),
            "media.change_reason": self.change_media_reason,
            "media.set_state": self.set_state,
        }

    def add(self, call: Call, request: MediaRef) -> "asyncio.Future[AgentSession]":
        """Adds a media type, not ready."""

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            if request.media in agent.media:
                raise PacelineError(
                    "media_already_added",
                    f"agent '{agent.name}' has {request.media}",
                    field="media",
                )
            add_media(node, agent, request.media, actor)
            return True

        return self._change("media.add", call, request, change)

    def remove(self, call: Call, request: MediaRef) -> "asyncio.Future[AgentSession]":
        """Removes a media type; what the agent handles in it stays with the agent."""

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            _media_of(agent, request.media)
            del agent.media[request.media]
            name = events.MEDIA_REMOVED
            agent_event(node, name, agent, actor, request.reason, media_type=request.media)
            return True

        return self._change("media.remove", call, request, change)

    def _ready(
        self, operation: str, call: Call, request: MediaRef
    ) -> "asyncio.Future[AgentSession]":
        is_ready = operation == "media.ready"

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            if _media_of(agent, request.media).ready == is_ready:
                word = "ready" if is_ready else "not ready"
                raise PacelineError(
                    "already_ready" if is_ready else "already_not_ready",
                    f"agent '{agent.name}' is {word} for {request.media} already",
                    field="media",
                )
            set_ready(node, agent, request.media, actor, is_ready=is_ready, reason=request.reason)
            return True

        return self._change(operation, call, request, change)

    def change_media_reason(self, call: Call, request: MediaRef) -> "asyncio.Future[AgentSession]":
        """Another reason for the state a medium is in; the same one changes nothing."""

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            media = _media_of(agent, request.media)
            if (media.reason, media.reason_code) == (request.reason, request.reason_code):
                return False
            media.reason, media.reason_code = request.reason, request.reason_code
            name = events.MEDIA_STATE_REASON_CHANGED
            agent_event(node, name, agent, actor, request.reason, media_type=request.media)
            return True

        return self._change("media.change_reason", call, request, change)

    def change_agent_reason(self, call: Call, request: AgentRef) -> "asyncio.Future[AgentSession]":
        """Another reason of the agent's own; the same one changes nothing."""

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            if (agent.reason, agent.reason_code) == (request.reason, request.reason_code):
                return False
            agent.reason, agent.reason_code = request.reason, request.reason_code
            agent_event(node, events.AGENT_STATE_REASON_CHANGED, agent, actor, request.reason)
            return True

        return self._change("agent.change_reason", call, request, change)

    def set_state(self, call: Call, request: PostMediaState) -> "asyncio.Future[AgentSession]":
        """What a telephone system knows: any state but ready is not ready, with that state as reason."""

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            if request.media not in agent.media:
                add_media(node, agent, request.media, actor)
            old = agent.media[request.media]
            calls = request.calls
            if calls is None:
                calls = int(request.state == "busy")
            is_ready = request.state == "ready"
            reason = request.reason or (None if is_ready else request.state)
            code = node.code_of(reason)
            new = Media(
                is_ready, reason, node.now, state=request.state, calls=calls, reason_code=code
            )
            if new == replace(old, changed_at=node.now):
                return False
            agent.media[request.media] = new
            agent_event(
                node,
                _event_of(old, new),
                agent,
                actor,
                reason,
                media_type=request.media,
                state=request.state,
                calls=calls,
            )
            return True

        return self._change("media.set_state", call, request, change)

    def _disturb(
        self, operation: str, call: Call, request: AgentRef
    ) -> "asyncio.Future[AgentSession]":
        is_on = operation == "agent.dnd_on"

        def change(node: NodeState, agent: Agent, actor: str) -> bool:
            if agent.do_not_disturb == is_on:
                return False
            agent.do_not_disturb = is_on
            agent.reason, agent.reason_code = request.reason, request.reason_code
            name = events.DO_NOT_DISTURB_ON if is_on else events.DO_NOT_DISTURB_OFF
            agent_event(node, name, agent, actor, request.reason)
            return True

        return self._change(operation, call, request, change)

    def _change(
        self,
        operation: str,
        call: Call,
        request: AgentRef | MediaRef | PostMediaState,
        change: Change,
    ) -> "asyncio.Future[AgentSession]":
        asked = call.tenant_of(request.tenant)
        actor = actor_of(call)

        def apply(node: NodeState) -> AgentSession:
            agent = node.logged_in(asked, request.agent)
            if change(node, agent, actor):
                node.change_agent(agent)
            return session_of(node, agent)

        return submit_once(self._lane, call, operation, request, Work(apply), AgentSession)


def _event_of(old: Media, new: Media) -> str:
    if old.ready == new.ready:
        return events.MEDIA_STATE_REASON_CHANGED
    return events.READY_FOR_MEDIA if new.ready else events.NOT_READY_FOR_MEDIA


def _media_of(agent: Agent, media: str) -> Media:
    found = agent.media.get(media)
    if found is None:
        raise PacelineError(
            "media_not_logged_in",
            f"agent '{agent.name}' is not logged in with {media}",
            field="media",
        )
    return found

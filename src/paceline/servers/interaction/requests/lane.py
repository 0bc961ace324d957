"""What all request families share: the lane, the node's live settings, and who acts."""

import asyncio
from typing import Any

from paceline.runtime.settings import LiveSettings
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.storage.lane import Lane
from paceline.wire.call import Call

_ACTORS = {
    "agent": "agent",
    "media_server": "media_server",
    "router": "router",
    "reporting": "reporting",
    "external_service": "external_service",
    "proxy": "proxy",
    "operator": "operator",
}


class NodeLane:
    """The way of every change: work in, answer after its commit."""

    def __init__(self, lane: Lane[Work, Any], node: NodeState, settings: LiveSettings) -> None:
        self._lane = lane
        self.node = node
        self.settings = settings

    def submit(self, call: Call, work: Work) -> "asyncio.Future[Any]":
        """Work of a request; dropped when its deadline passes before a batch takes it."""
        return self._lane.submit(work, call.deadline)

    def submit_own(self, work: Work) -> "asyncio.Future[Any]":
        """Work of the server itself: timers, lost sessions."""
        return self._lane.submit(work)


def actor_of(call: Call) -> str:
    """Who acts, as events say it."""
    return f"{_ACTORS[call.client_kind]}:{call.client}"

"""What all request families share: the lane, the node's live settings, and who acts."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from paceline.errors.failure import PacelineError
from paceline.model.interaction import Row
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import CodedReason, NodeState
from paceline.servers.interaction.live.transitions import HANDLING, QUEUED
from paceline.storage.database import DatabaseError
from paceline.storage.lane import Lane
from paceline.wire.access import is_bound_agent
from paceline.wire.call import Call
from paceline.wire.operation import Request

TRIED_AGAIN: Final = frozenset({"database_unavailable", "outcome_unknown", "overloaded"})
"""What passes: the node's own work is repeated until it is done."""

PAUSE_S: Final = 1.0
"""Machine seconds between two attempts at the node's own work (chosen)."""

_log = get_log("interaction.lane")


class NodeLane:
    """The way of every change: work in, answer after its commit."""

    def __init__(
        self,
        lane: Lane[Work, Any],
        node: NodeState,
        settings: LiveSettings,
        tasks: TaskGroup,
    ) -> None:
        self._lane = lane
        self._tasks = tasks
        self.node = node
        self.settings = settings

    @property
    def is_closed(self) -> bool:
        """Whether it refuses new work: the node stops, or another process writes."""
        return self._lane.is_closed

    def submit(self, call: Call, work: Work) -> "asyncio.Future[Any]":
        """Work of a request; dropped when its deadline passes before a batch takes it.

        Any request of an agent about what it handles begins the handling time anew.
        """
        handled = self.node.running.handling
        if handled.groups:
            for key in work.keys:
                if key in handled.groups and speaks_for_party(self.node, key, call):
                    handled.touch(key, self.node.times.business.now())
        return self._lane.submit(work, call.deadline)

    def submit_own(self, work: Work) -> None:
        """Work of the node itself: timers, lost sessions; repeated until it is done.

        What is left when the node stops is looked after by its next start.
        """
        if not self._lane.is_closed:
            self._tasks.start("work of the node itself", self.carry_out(work))

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs work of the node itself that takes several turns of the lane."""
        self._tasks.start(name, work)

    def attempt(self, work: Work) -> "asyncio.Future[Any]":
        """One attempt at work of the node itself, for a caller that repeats it in another form."""
        return self._lane.submit(work)

    async def carry_out(self, work: Work) -> None:
        """Does work of the node itself and waits for it; repeats what a fault of the database broke."""
        while not self._lane.is_closed:
            try:
                await self._lane.submit(work)
            except PacelineError as error:
                if error.name not in TRIED_AGAIN:
                    _log.warning("work of the node itself is dropped", why=error.message)
                    return
                _log.warning("work of the node itself is tried again", why=error.message)
                await self.node.times.machine.sleep(PAUSE_S)
            except DatabaseError as error:  # a fault of the work, which would fail again
                _log.error("work of the node itself is dropped", why=str(error))
                return
            else:
                return

    def undelivered(self, work: Work, outcome: Any) -> None:
        """The caller went after the commit and before it took the answer."""
        if work.on_undelivered is not None:
            work.on_undelivered(outcome)


def speaks_for(node: NodeState, call: Call, tenant: int, agent_id: int) -> bool:
    """Whether the caller is the agent, or its session speaks for the agent."""
    if call.principal.name == node.names.get(agent_id):
        return True
    peer = call.peer
    return peer is not None and any(
        each.session_id == peer.session_id for each in node.links.peers((tenant, agent_id))
    )


def speaks_for_party(node: NodeState, key: tuple[int, str], call: Call) -> bool:
    """Whether the caller speaks for an agent who handles it; of what is not in memory it is believed."""
    row = node.known(key)
    if row is None:
        return call.client_kind == "agent"
    return any(speaks_for(node, call, key[0], agent_id) for agent_id in handlers_of(node, row))


def handlers_of(node: NodeState, row: Row) -> list[int]:
    """The agents who handle it: the owner first, then those who take part."""
    if row.state != HANDLING or row.agent_id is None:
        return []
    beside = node.parties.get(row.key)
    return (
        [row.agent_id, *(p.agent_id for p in beside.values() if p.is_joined)]
        if beside
        else [row.agent_id]
    )


def check_ownership(node: NodeState, row: Row, call: Call, agent: str | None) -> None:
    """An agent changes only what it handles, or what waits; the agent that a request names too.

    Raises
    ------
    PacelineError
        `not_owner`, or `media_not_logged_in` when the named agent has no session.
    """
    is_agent = call.client_kind == "agent" or (
        call.client_kind == "operator" and is_bound_agent(call.principal)
    )
    if agent is None and not is_agent:
        return
    handlers = handlers_of(node, row)
    if agent is not None:
        if node.logged_in(row.tenant_id, agent).agent_id not in handlers:
            raise PacelineError(
                "not_owner",
                f"agent '{agent}' does not handle '{row.interaction_id}'",
                field="agent",
            )
    elif row.state != QUEUED and not any(
        speaks_for(node, call, row.tenant_id, agent_id) for agent_id in handlers
    ):
        raise PacelineError(
            "not_owner", f"interaction '{row.interaction_id}' is not handled by this client"
        )


def check_router(row: Row, call: Call) -> None:
    """A router changes only what its own session holds, or nobody's.

    Raises
    ------
    PacelineError
        `not_owner` when another session holds it.
    """
    session = session_of(call)
    if (
        row.router_session is not None
        and call.client_kind == "router"
        and row.router_session != session
    ):
        raise PacelineError(
            "not_owner", f"interaction '{row.interaction_id}' is held by another session"
        )


def coded(request: Request) -> CodedReason | None:
    """The reason of a request with its code; None without a code.

    Raises
    ------
    PacelineError
        `invalid_attribute` when a code came without a text.
    """
    code = getattr(request, "reason_code", None)
    if code is None:
        return None
    text: str | None = getattr(request, "reason", None)
    if text is None:
        raise PacelineError(
            "invalid_attribute", "a reason_code needs the reason's text", field="reason_code"
        )
    return text, code


def session_of(call: Call) -> str | None:
    """The caller's session; None over plain HTTP."""
    return call.peer.session_id if call.peer is not None else None


def actor_of(call: Call) -> str:
    """Who acts, as events say it."""
    return f"{call.client_kind}:{call.client}"

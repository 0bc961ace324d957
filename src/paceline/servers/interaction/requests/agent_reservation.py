"""Reservation of an agent by a router, for an interaction that is there already and in routing.

Requests for one agent that meet within request-collection-time are decided together, by priority.
Nothing else reserves agents: there is no reservation for outstanding invitations.
"""

import asyncio
from typing import NamedTuple

from paceline.errors.failure import PacelineError
from paceline.model.agent import Agent, AgentKey
from paceline.model.instant import to_text
from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.live.agent_transitions import (
    check_reservation,
    end_reservation,
    reserve,
)
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import ROUTING
from paceline.servers.interaction.requests.lane import NodeLane, session_of
from paceline.servers.interaction.requests.once import submit_once
from paceline.storage.database import DatabaseError
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.agent import Reservation, Reserve


class _Wish(NamedTuple):
    call: Call
    request: Reserve
    key: tuple[int, str]
    answer: "asyncio.Future[Reservation]"


class ReservationRequests:
    """Handler of agent.reserve."""

    def __init__(self, lane: NodeLane, tasks: TaskGroup) -> None:
        self._lane = lane
        self._tasks = tasks
        self._wishes: dict[AgentKey, list[_Wish]] = {}

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"agent.reserve": self.reserve}

    def reserve(self, call: Call, request: Reserve) -> "asyncio.Future[Reservation]":
        """Reserves the agent once the collection time is over; `duration_s` 0 cancels at once."""
        tenant = call.tenant_of(request.tenant)
        key = (tenant, request.interaction_id)
        if request.duration_s == 0:
            work = Work(lambda node: _cancel(node, tenant, call, request))
            return self._submit(call, request, work)
        agent_key = (tenant, self._lane.node.agent_id(tenant, request.agent))
        answer: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()
        wish = _Wish(call, request, key, answer)
        collected = self._wishes.get(agent_key)
        if collected is not None:
            collected.append(wish)
        else:
            self._wishes[agent_key] = [wish]
            self._tasks.start("collection of reservations", self._collect(agent_key))
        return answer

    async def _collect(self, agent_key: AgentKey) -> None:
        current = self._lane.settings.current
        await self._lane.node.times.machine.sleep(
            current.seconds("agent-reservation", "request-collection-time")
        )
        wishes = [wish for wish in self._wishes.pop(agent_key) if not wish.answer.done()]
        wishes.sort(key=lambda wish: -wish.request.priority)  # stable: the first among equals
        begun = [(wish, self._begin(wish)) for wish in wishes]
        for wish, decision in begun:
            try:
                reservation = await decision if decision is not None else None
            except (PacelineError, DatabaseError) as refusal:
                if not wish.answer.done():
                    wish.answer.set_exception(refusal)
            else:
                if reservation is not None and not wish.answer.done():
                    wish.answer.set_result(reservation)

    def _begin(self, wish: _Wish) -> "asyncio.Future[Reservation] | None":
        """The decision on one wish; they are taken in the order in which they are begun."""
        try:
            work = Work(lambda node: self._decide(node, wish), keys=(wish.key,))
            return self._submit(wish.call, wish.request, work)
        except PacelineError as refusal:
            wish.answer.set_exception(refusal)
            return None

    def _submit(self, call: Call, request: Reserve, work: Work) -> "asyncio.Future[Reservation]":
        return submit_once(self._lane, call, "agent.reserve", request, work, Reservation)

    def _decide(self, node: NodeState, wish: _Wish) -> Reservation:
        request, call = wish.request, wish.call
        agent = _agent_of(node, wish.key[0], request.agent)
        row = node.row(wish.key)
        if row.state != ROUTING or row.ticket:
            raise PacelineError(
                "not_waiting",
                f"interaction '{row.interaction_id}' is not in routing; an agent is reserved for one "
                "that is",
                field="interaction_id",
            )
        session = session_of(call)
        if row.router_session is not None and row.router_session != session:
            raise PacelineError(
                "not_owner", f"interaction '{row.interaction_id}' is held by another session"
            )
        current = self._lane.settings.current
        duration_s = request.duration_s
        if duration_s is None:
            duration_s = current.seconds("agent-reservation", "reservation-time")
        reserve(
            node,
            agent,
            call.client,
            max(1, int(duration_s * 1000)),
            may_prolong=not current.flag("agent-reservation", "reject-subsequent-request"),
        )
        return Reservation(agent=agent.name, reserved_until=to_text(agent.reserved_until or 0))


def _cancel(node: NodeState, tenant: int, call: Call, request: Reserve) -> Reservation:
    agent = _agent_of(node, tenant, request.agent)
    check_reservation(node, agent, call.client)
    end_reservation(node, agent)
    return Reservation(agent=agent.name)


def _agent_of(node: NodeState, tenant: int, name: str) -> Agent:
    """The agent's session, without counting as a request of the agent's own."""
    agent = node.agents.get((tenant, node.agent_id(tenant, name)))
    if agent is None:
        raise PacelineError("invalid_target", f"agent '{name}' is not logged in", field="agent")
    return agent

"""Pulling from views: in the view's exact order, held open when it is empty, returned when undelivered."""

import asyncio
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.interaction import Row
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    HANDLING,
    ROUTING,
    leave_virtual_queue,
    replace,
    return_to_queue,
)
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.requests.sessions import RouterSessions
from paceline.servers.interaction.rules.wire_form import wire_form
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import Interaction, Pull, Pulled

MAX_COUNT = 1000
"""Most interactions of one pull (chosen: the largest page of a list)."""

EMPTY = Pulled(interactions=())


class PullRequests:
    """Handler of `view.pull`."""

    def __init__(self, lane: NodeLane, sessions: RouterSessions) -> None:
        self._lane = lane
        self._sessions = sessions

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"view.pull": self.pull}

    def pull(self, call: Call, request: Pull) -> Any:
        """The next interactions of a view; a future when the pull is not held."""
        if not 1 <= request.count <= MAX_COUNT:
            raise PacelineError(
                "invalid_attribute", f"count is from 1 to {MAX_COUNT}", field="count"
            )
        tenant = call.tenant_of(request.tenant)
        head = self._lane.node.views.named(tenant, request.view)
        work = self._work(call, request, tenant, head)
        if request.hold_s > 0:
            return self._held(call, request, head, work)
        return self._lane.submit(call, work)

    async def _held(self, call: Call, request: Pull, head: ViewHead, work: Work) -> Pulled:
        """Waits for an arrival up to the smaller of the request's and the option's time."""
        machine = self._lane.node.times.machine
        longest = self._lane.settings.current.seconds("settings", "pull-hold-timeout")
        until = machine.monotonic() + min(request.hold_s, longest)
        while True:
            arrival = self._lane.node.views.arrival(head.view_id)
            call.deadline = max(call.deadline, machine.monotonic() + 1.0)
            try:
                pulled: Pulled = await self._lane.submit(call, work)
                left = until - machine.monotonic()
                if pulled.interactions or left <= 0:
                    return pulled
                async with asyncio.timeout(left):
                    await arrival
            except TimeoutError:
                return EMPTY
            finally:
                arrival.cancel()

    def _work(self, call: Call, request: Pull, tenant: int, head: ViewHead) -> Work:
        actor = actor_of(call)
        session = self._sessions.of(call)

        def apply(node: NodeState) -> Pulled:
            current = node.views.named(tenant, request.view)
            taken = current.take(request.count)
            if not taken:
                return EMPTY
            if request.agent is not None:
                return Pulled(
                    interactions=tuple(
                        _to_agent(node, node.row((tenant, i)), request.agent, actor) for i in taken
                    )
                )
            return Pulled(
                interactions=tuple(
                    _to_router(node, node.row((tenant, i)), session, actor) for i in taken
                )
            )

        def give_back(pulled: Pulled) -> None:
            keys = [(tenant, item.interaction_id) for item in pulled.interactions]
            if keys:
                self._lane.submit_own(_return_work(keys, actor))

        return Work(apply, pull=(head, request.count), on_undelivered=give_back)


def _return_work(keys: list[tuple[int, str]], actor: str) -> Work:
    def apply(node: NodeState) -> None:
        for key in keys:
            return_to_queue(node, node.row(key), actor, "undelivered")

    return Work(apply, keys=keys)


def _to_router(node: NodeState, row: Row, session: str | None, actor: str) -> Interaction:
    new = replace(
        row, state=ROUTING, assigned_at=node.now, router_session=session, version=row.version + 1
    )
    node.put(row, new)
    node.event(events.TAKEN_FROM_QUEUE, actor, row=new, with_queue=True, data={"party": "strategy"})
    node.event(events.PARTY_ADDED, actor, row=new, data={"party": "strategy"})
    return wire_form(new, node.names, node.user_data(new.key))


def _to_agent(node: NodeState, row: Row, name: str, actor: str) -> Interaction:
    agent = node.logged_in(row.tenant_id, name)
    new = replace(
        row,
        state=HANDLING,
        assigned_at=node.now,
        agent_id=agent.agent_id,
        place_id=agent.place_id,
        version=row.version + 1,
    )
    place = node.names.get(agent.place_id or 0)
    node.event(
        events.TAKEN_FROM_QUEUE,
        actor,
        row=new,
        with_queue=True,
        agent=name,
        data={"party": "agent"},
    )
    node.event(events.PARTY_ADDED, actor, row=new, agent=name, place=place, data={"party": "agent"})
    new = leave_virtual_queue(node, new, actor, events.VIRTUAL_QUEUE_DISTRIBUTED, agent=name)
    node.put(row, new)
    agent.handling.add(row.interaction_id)
    return wire_form(new, node.names, node.user_data(new.key))

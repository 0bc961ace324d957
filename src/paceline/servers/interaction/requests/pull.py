"""Pulling from views: in the view's exact order, held open when it is empty, returned when undelivered."""

import asyncio
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.instant import optional_text
from paceline.model.interaction import Row
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    HANDLING,
    QUEUED,
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
        """The next interactions of a view; a future when the pull is not held.

        What could not be delivered goes back at once: the caller left, or its session ended. After
        an error nothing is taken; with an unknown outcome what was taken goes back with the session.
        """
        if not 1 <= request.count <= MAX_COUNT:
            raise PacelineError(
                "invalid_attribute", f"count is from 1 to {MAX_COUNT}", field="count"
            )
        tenant = call.tenant_of(request.tenant)
        head = self._lane.node.views.named(tenant, request.view)
        work = self._work(call, request, tenant, head)
        call.on_undelivered = work.on_undelivered
        if request.hold_s > 0:
            return self._held(call, request, head, work)
        return self._lane.submit(call, work)

    async def _held(self, call: Call, request: Pull, head: ViewHead, work: Work) -> Pulled:
        """Waits for an arrival up to the smaller of the request's and the option's time."""
        machine = self._lane.node.times.machine
        longest = self._lane.settings.current.seconds("settings", "pull-hold-timeout")
        until = machine.monotonic() + min(request.hold_s, longest)
        if call.peer is None:  # plain HTTP ends with its timeout_s, and with an answer
            until = min(until, call.deadline)
        while True:
            arrival = self._lane.node.views.arrival(head.view_id)
            call.deadline = max(call.deadline, machine.monotonic() + 1.0)
            answer = self._lane.submit(call, work)
            try:
                pulled: Pulled = await answer
                left = until - machine.monotonic()
                if pulled.interactions or left <= 0:
                    return pulled
                async with asyncio.timeout(left):
                    await arrival
            except TimeoutError:
                return EMPTY
            except asyncio.CancelledError:
                if answer.done() and not answer.cancelled() and answer.exception() is None:
                    self._lane.undelivered(work, answer.result())  # cancelled just after its commit
                raise
            finally:
                arrival.cancel()

    def _work(self, call: Call, request: Pull, tenant: int, head: ViewHead) -> Work:
        actor = actor_of(call)
        session = self._sessions.of(call)

        def apply(node: NodeState) -> Pulled:
            current = node.views.named(tenant, request.view)
            agent = None if request.agent is None else node.logged_in(tenant, request.agent)
            rows = [node.row((tenant, i)) for i in current.first(request.count)]
            current.take(len(rows))
            if agent is not None:
                taken = tuple(_to_agent(node, row, agent, actor) for row in rows)
            else:
                taken = tuple(_to_router(node, row, session, actor) for row in rows)
            return Pulled(interactions=taken) if taken else EMPTY

        return Work(
            apply,
            pull=(head, request.count),
            on_undelivered=lambda pulled: self._give_back(
                pulled, session if request.agent is None else None, actor
            ),
        )

    def _give_back(self, pulled: Pulled, session: str | None, actor: str) -> None:
        """What nobody got goes back at once, unless somebody else has it meanwhile."""
        taken = {(i.tenant, i.interaction_id): i.assigned_at for i in pulled.interactions}

        def apply(node: NodeState) -> None:
            for key, assigned_at in taken.items():
                if node.finished(key) is not None:
                    continue
                row = node.row(key)
                is_as_pulled = (
                    row.state != QUEUED
                    and row.router_session == session
                    and optional_text(row.assigned_at) == assigned_at
                )
                if is_as_pulled:
                    return_to_queue(node, row, actor, "undelivered")

        if taken:
            self._lane.submit_own(Work(apply, keys=tuple(taken)))


def _to_router(node: NodeState, row: Row, session: str | None, actor: str) -> Interaction:
    new = replace(
        row, state=ROUTING, assigned_at=node.now, router_session=session, version=row.version + 1
    )
    node.put(row, new)
    node.event(events.TAKEN_FROM_QUEUE, actor, row=new, with_queue=True, data={"party": "strategy"})
    node.event(events.PARTY_ADDED, actor, row=new, data={"party": "strategy"})
    return wire_form(new, node.names, node.user_data(new.key))


def _to_agent(node: NodeState, row: Row, agent: Agent, actor: str) -> Interaction:
    name = agent.name
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

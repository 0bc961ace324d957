"""Pulling from views: in the view's exact order, held open when it is empty, returned when undelivered."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import And
from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.interaction import Row
from paceline.servers.interaction.live import workbins
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    QUEUED,
    ROUTING,
    handled_by,
    leave_virtual_queue,
    owner_added,
    replace,
)
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.requests.lane import NodeLane, actor_of, coded
from paceline.servers.interaction.requests.pulled import PullKeys, given_back
from paceline.servers.interaction.requests.sessions import RouterSessions
from paceline.servers.interaction.rules.selection import IS_DUE
from paceline.servers.interaction.rules.wire_form import wire_form
from paceline.servers.interaction.store.selection import Wanted, select_ids
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import Interaction, Pull, Pulled

MAX_COUNT = 1000
"""Most interactions of one pull (chosen: the largest page of a list)."""

SHORTEST_PAUSE_S = 0.01
"""Between two looks of a held pull at a view that time changes (chosen)."""

EMPTY = Pulled(interactions=())


class PullRequests:
    """Handler of `view.pull`."""

    def __init__(self, lane: NodeLane, sessions: RouterSessions, database: Database) -> None:
        self._lane = lane
        self._sessions = sessions
        self._database = database
        self._keys = PullKeys(lane, "view.pull")

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
        if request.agent is not None and workbins.workbin_words(self._lane.node, head.queue_id):
            raise PacelineError(
                "not_allowed",
                f"view '{request.view}' shows the workbins of all owners; an agent pulls from that of "
                "one with workbin.pull, which takes the view too",
                field="view",
            )
        if call.idempotency_key is not None:
            session = None if request.agent is not None else self._sessions.of(call)
            attempt = partial(self._attempt, call, request, tenant, head)
            return self._keys.pulled(call, request, session, attempt)
        return self._attempt(call, request, tenant, head)

    def _attempt(
        self,
        call: Call,
        request: Pull,
        tenant: int,
        head: ViewHead,
        as_once: Callable[[Work], Work] | None = None,
    ) -> Awaitable[Pulled]:
        if request.interaction_ids or request.ignore_hold:
            return self._chosen(call, request, tenant, head, as_once)
        work = self._work(call, request, tenant, head)
        if as_once is not None:
            work = as_once(work)
        call.on_undelivered = work.on_undelivered
        if request.hold_s > 0:
            return self._held(call, request, head, work)
        return self._lane.submit(call, work)

    async def _chosen(
        self,
        call: Call,
        request: Pull,
        tenant: int,
        head: ViewHead,
        as_once: Callable[[Work], Work] | None,
    ) -> Pulled:
        """Takes named or held interactions, in the order named or the view's; others are left out."""
        ids: Sequence[str] = tuple(dict.fromkeys(request.interaction_ids))[:MAX_COUNT]
        most = len(ids) or request.count
        if not ids:
            equal = {"state": QUEUED, "is_locked": False, "queue_id": head.queue_id}
            ids = await select_ids(
                self._database,
                Wanted(tenant, And((head.condition, IS_DUE)), head.terms, equal),
                now=self._lane.node.times.business.now(),
                limit=most,
            )
        keys = tuple((tenant, each) for each in ids)
        actor = actor_of(call)
        session = self._sessions.of(call)

        def apply(node: NodeState) -> Pulled:
            agent = None if request.agent is None else node.logged_in(tenant, request.agent)
            current = node.views.named(tenant, request.view)
            found = [row for key in keys if (row := node.known(key)) is not None]
            rows = [row for row in found if _may_take(row, current, node.now, request)][:most]
            if agent is not None:
                return Pulled(
                    interactions=tuple(
                        to_agent(node, row, agent, actor, request.reason) for row in rows
                    )
                )
            return Pulled(
                interactions=tuple(
                    to_router(node, row, session, actor, current.view_id, request.reason)
                    for row in rows
                )
            )

        holder = session if request.agent is None else None
        work = Work(
            apply,
            keys=keys,
            reads_data=True,
            reason=coded(request),
            on_undelivered=lambda pulled: self._give_back(pulled, holder, actor),
        )
        if as_once is not None:
            work = as_once(work)
        call.on_undelivered = work.on_undelivered
        pulled: Pulled = await self._lane.submit(call, work)
        return pulled

    async def _held(self, call: Call, request: Pull, head: ViewHead, work: Work) -> Pulled:
        """Waits for an arrival up to the smaller of the request's and the option's time."""
        machine = self._lane.node.times.machine
        longest = self._lane.settings.current.seconds("settings", "pull-hold-timeout")
        until = machine.monotonic() + min(request.hold_s, longest)
        if call.peer is None:  # plain HTTP ends with its timeout_s, and with an answer
            until = min(until, call.deadline)
        call.hold_until(until)
        while True:
            arrival = self._lane.node.views.arrival(head.view_id)
            call.hold_until(machine.monotonic() + 1.0)
            answer = self._lane.submit(call, work)
            try:
                pulled: Pulled = await answer
                left = until - machine.monotonic()
                if pulled.interactions or left <= 0:
                    return pulled
                async with asyncio.timeout(min(left, pause_s(self._lane, head))):
                    await arrival
            except TimeoutError:
                if machine.monotonic() >= until:
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
                taken = tuple(to_agent(node, row, agent, actor, request.reason) for row in rows)
            else:
                taken = tuple(
                    to_router(node, row, session, actor, current.view_id, request.reason)
                    for row in rows
                )
            return Pulled(interactions=taken) if taken else EMPTY

        return Work(
            apply,
            pull=(head, request.count),
            reason=coded(request),
            on_undelivered=lambda pulled: self._give_back(
                pulled, session if request.agent is None else None, actor
            ),
        )

    def _give_back(self, pulled: Pulled, session: str | None, actor: str) -> None:
        """What nobody got goes back at once, unless somebody else has it meanwhile."""
        if pulled.interactions:
            self._lane.submit_own(given_back(pulled, session, actor))


def _may_take(row: Row, head: ViewHead, now: int, request: Pull) -> bool:
    is_there = row.state == QUEUED and row.queue_id == head.queue_id and not row.is_locked
    return is_there and (request.ignore_hold or not row.is_held) and head.accepts(row, now)


def pause_s(lane: NodeLane, head: ViewHead) -> float:
    """Machine seconds until time alone may have put something into the view; infinite for never."""
    business = lane.node.times.business
    look = lane.node.views.next_look(head, business.now())
    if look is None:
        return math.inf
    return max(SHORTEST_PAUSE_S, business.machine_seconds((look - business.now()) / 1000))


def to_router(
    node: NodeState,
    row: Row,
    session: str | None,
    actor: str,
    view_id: int,
    reason: str | None = None,
) -> Interaction:
    """Puts a waiting interaction into routing, held by a router's session."""
    if row.workbin_id is not None:
        workbins.taken(node, row, actor, reason)
    new = replace(
        row,
        state=ROUTING,
        assigned_at=node.now,
        router_session=session,
        view_id=view_id,
        version=row.version + 1,
    )
    node.put(row, new)
    node.event(
        events.TAKEN_FROM_QUEUE,
        actor,
        row=new,
        with_queue=True,
        reason=reason,
        data={"party": "strategy"},
    )
    node.event(events.PARTY_ADDED, actor, row=new, data={"party": "strategy"})
    return wire_form(new, node.names, node.user_data(new.key))


def to_agent(
    node: NodeState, row: Row, agent: Agent, actor: str, reason: str | None = None
) -> Interaction:
    """Puts a waiting interaction, of a queue or a workbin, into the hands of an agent."""
    name = agent.name
    if row.workbin_id is not None:
        workbins.taken(node, row, actor, reason)
    new = handled_by(node, row, agent)
    node.event(
        events.TAKEN_FROM_QUEUE,
        actor,
        row=new,
        with_queue=True,
        agent=name,
        reason=reason,
        data={"party": "agent"},
    )
    owner_added(node, new, agent, actor)
    new = leave_virtual_queue(node, new, actor, events.VIRTUAL_QUEUE_DISTRIBUTED, agent=name)
    node.put(row, new)
    return wire_form(new, node.names, node.user_data(new.key))

"""Where an interaction is: queues, virtual queues, abandonment, the end."""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.interaction import InteractionState, Row
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    HANDLING,
    QUEUED,
    ROUTING,
    end_ringing,
    leave_virtual_queue,
    place_in_queue,
    remove_party,
    replace,
    set_held,
    stop,
    tell_router,
    tell_taken,
)
from paceline.servers.interaction.requests.lane import (
    NodeLane,
    actor_of,
    check_ownership,
    check_router,
    coded,
    session_of,
)
from paceline.servers.interaction.requests.once import submit_once
from paceline.servers.interaction.requests.property_changes import Changes, change_properties
from paceline.servers.interaction.requests.snapshot_locks import check_lock, without_lock
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.servers.interaction.rules.wire_form import state_answer
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import (
    Abandon,
    DeliveryResult,
    EnterVirtualQueue,
    LeaveVirtualQueue,
    PlaceInQueue,
    StateAnswer,
    Stop,
)

BACK = "__BACK__"
"""The documented queue name that means: where it came from."""

ABANDONED = "abandoned"
COMPLETED = "completed"


class PlaceRequests:
    """Handlers of place-in-queue, virtual queues, abandon and stop."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.place_in_queue": self.place_in_queue,
            "interaction.enter_virtual_queue": self.enter_virtual_queue,
            "interaction.leave_virtual_queue": self.leave_virtual_queue,
            "interaction.abandon": self.abandon,
            "interaction.stop": self.stop,
        }

    def place_in_queue(self, call: Call, request: PlaceInQueue) -> "asyncio.Future[StateAnswer]":
        """Puts it into a queue; into the one it waits in already changes nothing."""
        tenant = call.tenant_of(request.tenant)
        key = (tenant, request.interaction_id)
        actor = actor_of(call)

        changes = Changes.of(request)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            is_back = request.queue == BACK
            queue_id = row.queue_id if is_back else node.queue_id(tenant, request.queue)
            check_ownership(node, row, call, request.agent)
            if not is_back and request.queue in completed_queues(self._lane):
                return _complete(node, row, queue_id, changes, call, request.reason)
            if row.state == QUEUED and row.queue_id == queue_id and not (changes or request.hold):
                return state_answer(row)
            check_router(row, call)
            check_lock(node, row, call)
            if changes:
                row = change_properties(node, row, changes, actor, call.peer)
            row = without_lock(node, row)
            tell_taken(node, row, request.reason, by=session_of(call))
            remove_party(node, row, actor, request.reason)
            if not is_back:
                left = leave_virtual_queue(
                    node,
                    row,
                    actor,
                    events.VIRTUAL_QUEUE_CLEARED,
                    reason=request.reason or "placed in queue",
                )
                node.put(row, left)
                row = left
            new = place_in_queue(
                node, row, queue_id, actor, reason=request.reason, as_new=not is_back
            )
            if request.hold:
                new = set_held(node, new, actor, request.reason, is_held=True)
            return state_answer(new)

        work = Work(apply, keys=(key,), reads_data=True)
        return submit_once(
            self._lane, call, "interaction.place_in_queue", request, work, StateAnswer
        )

    def enter_virtual_queue(
        self, call: Call, request: EnterVirtualQueue
    ) -> "asyncio.Future[StateAnswer]":
        """Enters a virtual queue; the one it is in already changes nothing."""
        tenant = call.tenant_of(request.tenant)
        key = (tenant, request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            if row.state != ROUTING:
                raise PacelineError(
                    "not_waiting", "only an interaction in routing enters a virtual queue"
                )
            check_router(row, call)
            virtual_queue_id = node.virtual_queue_id(tenant, request.virtual_queue)
            if row.virtual_queue_id == virtual_queue_id:
                return state_answer(row)
            left = leave_virtual_queue(
                node, row, actor, events.VIRTUAL_QUEUE_CLEARED, reason=events.MOVED
            )
            new = replace(
                left,
                virtual_queue_id=virtual_queue_id,
                virtual_queue_at=node.now,
                version=row.version + 1,
            )
            node.put(row, new)
            node.event(
                events.VIRTUAL_QUEUE_ENTERED,
                actor,
                row=new,
                data={
                    "virtual_queue": request.virtual_queue,
                    "keys": filter_values_in(node.user_data(key)),
                },
            )
            return state_answer(new)

        return self._lane.submit(call, Work(apply, keys=(key,), reads_data=True))

    def leave_virtual_queue(
        self, call: Call, request: LeaveVirtualQueue
    ) -> "asyncio.Future[StateAnswer]":
        """Leaves its virtual queue; in none changes nothing."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            check_router(row, call)
            new = leave_virtual_queue(
                node, row, actor, events.VIRTUAL_QUEUE_CLEARED, reason=request.reason
            )
            if new is not row:
                node.put(row, new)
            return state_answer(new)

        work = Work(apply, keys=(key,), reads_data=True, reason=coded(request))
        return self._lane.submit(call, work)

    def abandon(self, call: Call, request: Abandon) -> "asyncio.Future[StateAnswer]":
        """The visitor has left: stopped when no agent had it, else only marked."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            if (done := node.finished(key)) is not None:
                return state_answer(done.row)
            row = node.row(key)
            if row.abandoned_at is not None:
                return state_answer(row)
            if row.state == HANDLING:
                return state_answer(_mark_abandoned(node, row, actor))
            return _abandon_waiting(node, row, actor, request.reason)

        work = Work(apply, keys=(key,), reads_data=True, reason=coded(request))
        return self._lane.submit(call, work)

    def stop(self, call: Call, request: Stop) -> "asyncio.Future[StateAnswer]":
        """Ends it; again is fine."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            if (done := node.finished(key)) is not None:
                return state_answer(done.row)
            row = node.row(key)
            check_ownership(node, row, call, request.agent)
            stop(node, row, actor, request.reason)
            return StateAnswer(interaction_id=key[1], state=InteractionState.STOPPED.text)

        work = Work(apply, keys=(key,), reads_data=True, reason=coded(request))
        return self._lane.submit(call, work)


def completed_queues(lane: NodeLane) -> frozenset[str]:
    """Queues in which an interaction counts as finished (option completed-queues)."""
    value = lane.settings.current["settings", "completed-queues"]
    names = value.split(",") if isinstance(value, str) else ()
    return frozenset(name.strip() for name in names if name.strip())


def _complete(
    node: NodeState, row: Row, queue_id: int, changes: Changes, call: Call, reason: str | None
) -> StateAnswer:
    """Puts it into a completed queue: that is its end."""
    actor = actor_of(call)
    check_router(row, call)
    check_lock(node, row, call)
    if changes:
        row = change_properties(node, row, changes, actor, call.peer)
    row = without_lock(node, row)
    tell_taken(node, row, reason or COMPLETED, by=session_of(call))
    remove_party(node, row, actor, reason)
    left = leave_virtual_queue(
        node, row, actor, events.VIRTUAL_QUEUE_CLEARED, reason=reason or COMPLETED
    )
    placed = place_in_queue(node, left, queue_id, actor, reason=reason, as_new=True)
    stop(node, placed, actor, reason or COMPLETED)
    return StateAnswer(interaction_id=row.interaction_id, state=InteractionState.STOPPED.text)


def _mark_abandoned(node: NodeState, row: Row, actor: str) -> Row:
    new = replace(row, is_online=False, abandoned_at=node.now, version=row.version + 1)
    node.put(row, new)
    node.event(events.ABANDONED, actor, row=new, data={"is_handled": True})
    return new


def _abandon_waiting(node: NodeState, row: Row, actor: str, reason: str | None) -> StateAnswer:
    was_ringing = bool(row.ticket)
    number = node.names.get(row.virtual_queue_id or 0)
    if was_ringing:
        end_ringing(node, row, actor, ABANDONED)
    elif row.state == ROUTING:
        remove_party(node, row, actor, ABANDONED)
    new = replace(row, is_online=False, abandoned_at=node.now, version=row.version + 1)
    new = leave_virtual_queue(
        node, new, actor, events.VIRTUAL_QUEUE_ABANDONED, was_ringing=was_ringing, reason=reason
    )
    node.event(
        events.ABANDONED,
        actor,
        row=new,
        reason=reason,
        data={"is_handled": False, "virtual_queue": number},
    )
    node.event(events.PROCESSING_STOPPED, actor, row=new, reason=ABANDONED, with_queue=True)
    tell_router(
        node,
        row.router_session,
        DeliveryResult(
            interaction_id=row.interaction_id,
            outcome="abandoned",
            reason=reason,
            reason_code=node.code_of(reason),
        ),
    )
    node.put(row, new)
    node.finish(new, ABANDONED)
    return StateAnswer(interaction_id=row.interaction_id, state=InteractionState.STOPPED.text)

"""Hold and resume, lock and unlock: what keeps an interaction out of the views without moving it."""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import QUEUED, replace, set_held
from paceline.servers.interaction.requests.lane import NodeLane, actor_of, check_ownership, coded
from paceline.servers.interaction.rules.wire_form import state_answer
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import Flag, StateAnswer


class FlagRequests:
    """Handlers of hold, resume, lock and unlock."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.hold": lambda call, request: self._hold(call, request, is_held=True),
            "interaction.resume": lambda call, request: self._hold(call, request, is_held=False),
            "interaction.lock": lambda call, request: self._lock(call, request, is_locked=True),
            "interaction.unlock": lambda call, request: self._lock(call, request, is_locked=False),
        }

    def _hold(self, call: Call, request: Flag, *, is_held: bool) -> "asyncio.Future[StateAnswer]":
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            check_ownership(node, row, call, request.agent)
            return state_answer(set_held(node, row, actor, request.reason, is_held=is_held))

        return self._lane.submit(call, Work(apply, keys=(key,), reason=coded(request)))

    def _lock(self, call: Call, request: Flag, *, is_locked: bool) -> "asyncio.Future[StateAnswer]":
        key = (call.tenant_of(request.tenant), request.interaction_id)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            if row.state != QUEUED:
                raise PacelineError(
                    "not_waiting",
                    f"interaction '{key[1]}' is not waiting; only what waits is locked",
                )
            if key in node.snapshots.locks:
                raise PacelineError(
                    "not_allowed",
                    f"interaction '{key[1]}' is locked by a snapshot; release that",
                    field="interaction_id",
                )
            if row.is_locked != is_locked:
                new = replace(row, is_locked=is_locked, version=row.version + 1)
                node.put(row, new)
                row = new
            return state_answer(row)

        return self._lane.submit(call, Work(apply, keys=(key,)))

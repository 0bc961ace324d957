"""What a pull handed out: given back when nobody got it, given again to who repeats the pull.

Under a key the ids are kept, not the user data: a repeat gives the same interactions as they are now.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.model.instant import optional_text
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.shown import shown
from paceline.servers.interaction.live.transitions import QUEUED, return_to_queue
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.requests.once import keep_until
from paceline.wire.call import Call
from paceline.wire.once import Once, again, kept, once_of
from paceline.wire.operation import Answer, Request
from paceline.wire.operations.interaction import Pulled

MOST_REPEATED = 1000
"""Repeated pulls that are remembered; far more than are under way at once (chosen)."""


class Taken(Answer, frozen=True, kw_only=True):
    """What is kept of a pull under its key."""

    tenant: int
    interaction_ids: tuple[str, ...]


class _TakenMeanwhile(PacelineError):
    """The same pull was done while this one waited for its turn."""


class PullKeys:
    """Idempotency keys of one pulling operation.

    What a router holds ends with its session, so its keys are the session's: over another session a
    repeat pulls anew, for what the lost one got has gone back. What went back as undelivered has no
    key any more. An empty pull did nothing and keeps nothing.
    """

    def __init__(self, lane: NodeLane, operation: str) -> None:
        self._lane = lane
        self._operation = operation
        self._repeated: dict[Once, None] = {}

    async def pulled(
        self,
        call: Call,
        request: Request,
        session: str | None,
        attempt: Callable[[Callable[[Work], Work]], Awaitable[Pulled]],
    ) -> Pulled:
        """The answer of the first pull with the key, or of `attempt`, told how to do its work once."""
        key = once_of(call, self._operation)
        if key is None:
            return await attempt(lambda work: work)
        if session is not None:
            key = key._replace(operation=f"{self._operation} {session}")
        tenant = call.tenant_of(getattr(request, "tenant", None))
        while True:
            known = await self._lane.submit(call, Work(partial(self._known, key), tokens=(key,)))
            if known is not None:
                taken: Taken = again(known, request, Taken)
                call.on_undelivered = partial(self._undelivered, key, session, actor_of(call))
                return await self._again(call, taken)
            try:
                return await attempt(partial(self._once, call, key, session, tenant, request))
            except _TakenMeanwhile:
                continue

    def _known(self, key: Once, node: NodeState) -> Any:
        known = node.token(key)
        if known is not None:
            self._repeated[key] = None
            while len(self._repeated) > MOST_REPEATED:
                del self._repeated[next(iter(self._repeated))]
        return known

    def _once(
        self,
        call: Call,
        key: Once,
        session: str | None,
        tenant: int,
        request: Request,
        work: Work,
    ) -> Work:
        def apply(node: NodeState) -> Pulled:
            if node.token(key) is not None:
                raise _TakenMeanwhile("operation_in_progress", "the same pull was just done")
            pulled: Pulled = work.apply(node)
            if pulled.interactions:
                ids = tuple(each.interaction_id for each in pulled.interactions)
                answer = Taken(tenant=tenant, interaction_ids=ids)
                node.use_token(key, kept(request, answer), keep_until(self._lane, node))
            return pulled

        done = work.doing(apply, tokens=(key,))
        if work.on_undelivered is not None:
            done.on_undelivered = partial(self._undelivered, key, session, actor_of(call))
        return done

    async def _again(self, call: Call, taken: Taken) -> Pulled:
        keys = tuple((taken.tenant, each) for each in taken.interaction_ids)

        def apply(node: NodeState) -> Pulled:
            found = (shown(node, key) for key in keys)
            return Pulled(interactions=tuple(item for item in found if item is not None))

        pulled: Pulled = await self._lane.submit(call, Work(apply, keys=keys, reads_data=True))
        return pulled

    def _undelivered(self, key: Once, session: str | None, actor: str, pulled: Pulled) -> None:
        """Takes the pull back with its key, unless a repeat has got its answer meanwhile."""
        back = given_back(pulled, session, actor)

        def apply(node: NodeState) -> None:
            if key in self._repeated:
                node.after_commit(lambda: self._repeated.pop(key, None))
                return
            node.forget_token(key)
            back.apply(node)

        if pulled.interactions:
            self._lane.submit_own(Work(apply, keys=back.keys))


def given_back(pulled: Pulled, session: str | None, actor: str) -> Work:
    """Work that returns what nobody got, unless somebody else has it meanwhile."""
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

    return Work(apply, keys=tuple(taken))

"""Workbins: placing into one, its content, pulling from it, its types, counts and notifications."""

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import And
from paceline.expressions.tree import Condition, OrderTerm
from paceline.model import events
from paceline.model.configuration import Workbin
from paceline.model.instant import to_text
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    QUEUED,
    leave_virtual_queue,
    place_in_workbin,
    remove_party,
    tell_taken,
)
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.servers.interaction.live.workbins import workbin_of, workbin_words
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
from paceline.servers.interaction.requests.pull import MAX_COUNT, to_agent
from paceline.servers.interaction.requests.pulled import PullKeys
from paceline.servers.interaction.requests.searches import parsed, smaller
from paceline.servers.interaction.requests.snapshot_locks import check_lock, without_lock
from paceline.servers.interaction.requests.workbin_room import Room
from paceline.servers.interaction.rules.keyset import condition_after, token_after
from paceline.servers.interaction.rules.selection import IS_DUE
from paceline.servers.interaction.rules.wire_form import PRIVATE_QUEUE, state_answer, wire_form
from paceline.servers.interaction.rules.workbin_access import owners_of
from paceline.servers.interaction.store.selection import Wanted, select_rows
from paceline.servers.interaction.store.workbins import count_workbins
from paceline.storage.database import Database
from paceline.wire.access import is_bound_agent
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.interaction import Pulled, QueueList, StateAnswer
from paceline.wire.operations.workbin import (
    Content,
    PlaceInWorkbin,
    PullFromWorkbin,
    Unwatch,
    Watch,
    Watching,
    WorkbinContent,
    WorkbinCount,
    WorkbinCounts,
    WorkbinPage,
    WorkbinRow,
    WorkbinStatistics,
)
from paceline.wire.page import page_after


class WorkbinRequests:
    """Handlers of all workbin operations."""

    def __init__(self, lane: NodeLane, database: Database) -> None:
        self._lane = lane
        self._database = database
        self._keys = PullKeys(lane, "workbin.pull")

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.place_in_workbin": self.place,
            "workbin.content": self.content,
            "workbin.pull": self.pull,
            "workbin.list": self.list,
            "workbin.statistics": self.statistics,
            "workbin.stream": self.stream,
            "workbin.stop_stream": self.stop_stream,
        }

    def place(self, call: Call, request: PlaceInWorkbin) -> "asyncio.Future[StateAnswer]":
        """Puts it into an owner's workbin; into the one it is in changes nothing."""
        tenant = call.tenant_of(request.tenant)
        key = (tenant, request.interaction_id)
        actor = actor_of(call)
        changes = Changes.of(request)
        room = Room.of(self._lane, tenant, request.workbin, request.owner)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            workbin_id, owner_id = workbin_of(node, tenant, request.workbin, request.owner)
            check_ownership(node, row, call, request.agent)
            check_router(row, call)
            is_there = (row.workbin_id, row.workbin_owner_id) == (workbin_id, owner_id)
            if not (is_there and row.state == QUEUED):
                check_lock(node, row, call)
            if not is_there:
                room.check(node, Bin(tenant, workbin_id, owner_id))
            if changes:
                row = change_properties(node, row, changes, actor, call.peer)
            if row.state == QUEUED and is_there:
                return state_answer(row)
            row = without_lock(node, row)
            tell_taken(node, row, request.reason, by=session_of(call))
            remove_party(node, row, actor, request.reason)
            left = leave_virtual_queue(
                node,
                row,
                actor,
                events.VIRTUAL_QUEUE_CLEARED,
                reason=request.reason or "placed in workbin",
            )
            node.put(row, left)
            return state_answer(
                place_in_workbin(node, left, workbin_id, owner_id, actor, request.reason)
            )

        work = Work(apply, keys=(key,), reads_data=True, bins=room.bins)
        return submit_once(
            self._lane, call, "interaction.place_in_workbin", request, work, StateAnswer
        )

    async def content(self, call: Call, request: WorkbinContent) -> Content:
        """One page; the smaller of the request's limit and the option's."""
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        place = self._bin(call, tenant, request.workbin, request.owner)
        words = workbin_words(node, place.workbin_id)
        if words is None or request.owner_type not in (None, words[1]):
            raise PacelineError(
                "invalid_attribute",
                f"workbin '{request.workbin}' belongs to owners of another type",
                field="owner_type",
            )
        limit = smaller(self._lane, request.limit, "max-interactions-per-workbin-content")
        condition, terms = parsed(node, tenant, request.condition, request.order)
        if request.view is not None:
            shown = _through(node, place, request.view)
            condition, terms = And((shown.condition, condition)), terms or shown.terms
        rows = await select_rows(
            self._database,
            node.shape,
            Wanted(tenant, condition, terms, _inside(place)),
            after=condition_after(terms, request.continuation),
            now=node.times.business.now(),
            limit=limit + 1,
        )
        more = len(rows) > limit
        return Content(
            interactions=tuple(wire_form(row, node.names, data) for row, data in rows[:limit]),
            continuation=token_after(terms, rows[limit - 1][0]) if more else None,
            complete=not more,
        )

    async def pull(self, call: Call, request: PullFromWorkbin) -> Pulled:
        """An agent takes what it names, or the first ones; what is not there any more is left out."""
        return await self._keys.pulled(
            call, request, None, lambda as_once: self._pull(call, request, as_once)
        )

    async def _pull(
        self, call: Call, request: PullFromWorkbin, as_once: Callable[[Work], Work]
    ) -> Pulled:
        if not 1 <= request.count <= MAX_COUNT or len(request.interaction_ids) > MAX_COUNT:
            raise PacelineError(
                "invalid_attribute", f"at most {MAX_COUNT} are pulled at once", field="count"
            )
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        place = self._bin(call, tenant, request.workbin, request.owner)
        ids, most = request.interaction_ids, len(request.interaction_ids)
        if not ids:
            shown = _EVERYTHING if request.view is None else _through(node, place, request.view)
            free = {**_inside(place), "is_locked": False, "is_held": False}
            rows = await select_rows(
                self._database,
                node.shape,
                Wanted(tenant, shown.condition, shown.terms, free),
                after=And(()),
                now=node.times.business.now(),
                limit=request.count,
            )
            ids, most = tuple(row.interaction_id for row, _ in rows), request.count
        keys = tuple((tenant, interaction_id) for interaction_id in dict.fromkeys(ids))
        actor = actor_of(call)

        def apply(node: NodeState) -> Pulled:
            agent = node.logged_in(tenant, request.agent)
            found = [row for key in keys if (row := node.known(key)) is not None]
            if request.view is not None:
                head = node.views.named(tenant, request.view)
                found = [row for row in found if head.accepts(row, node.now)]
            inside = [
                row
                for row in found
                if row.state == QUEUED
                and (row.workbin_id, row.workbin_owner_id) == (place.workbin_id, place.owner_id)
                and not row.is_locked
            ]
            return Pulled(
                interactions=tuple(
                    to_agent(node, row, agent, actor, request.reason) for row in inside[:most]
                )
            )

        work = as_once(Work(apply, keys=keys, reads_data=True, reason=coded(request)))
        pulled: Pulled = await self._lane.submit(call, work)
        return pulled

    async def list(self, call: Call, request: QueueList) -> WorkbinPage:
        """Workbins by name."""
        tenant = call.tenant_of(request.tenant)
        counts = await count_workbins(self._database, tenant)
        rows = []
        for item, body in self._lane.node.snapshot.all_of(Workbin, tenant):
            depths = [depth for (bin_id, _), (depth, _) in counts.items() if bin_id == item.id]
            rows.append(
                WorkbinRow(
                    name=item.name,
                    owner_type=body.owner_type,
                    queue=f"{item.name}{PRIVATE_QUEUE}",
                    business_process=body.business_process,
                    depth=sum(depths),
                    owners=len(depths),
                )
            )
        rows.sort(key=attrgetter("name"))
        page, continuation = page_after(
            rows, request.continuation, request.limit, attrgetter("name")
        )
        return WorkbinPage(
            items=tuple(page), continuation=continuation, complete=continuation is None
        )

    async def statistics(self, call: Call, request: WorkbinStatistics) -> WorkbinCounts:
        """Content of the workbins that an agent may use."""
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        owners = self._owners(tenant, request.agent)
        if not owners:
            node.agent_id(tenant, request.agent)  # refuses a name that nobody has
        counts = []
        for (bin_id, owner_id), (depth, oldest) in (
            await count_workbins(self._database, tenant)
        ).items():
            words = workbin_words(node, bin_id)
            if owner_id in owners and words is not None:
                counts.append(
                    WorkbinCount(
                        workbin=words[0],
                        owner_type=words[1],
                        owner=node.names.get(owner_id, ""),
                        depth=depth,
                        oldest_at=to_text(oldest),
                    )
                )
        counts.sort(key=attrgetter("workbin", "owner"))
        return WorkbinCounts(items=tuple(counts))

    async def stream(self, call: Call, request: Watch) -> Watching:
        """Tells this session what enters and leaves the workbin from now on."""
        peer = call.needs_peer("workbin.stream")
        place = self._bin(call, call.tenant_of(request.tenant), request.workbin, request.owner)
        return Watching(subscription=self._lane.node.workbin_watchers.add(place, peer))

    async def stop_stream(self, call: Call, request: Unwatch) -> Done:
        """Ends a subscription; twice is fine."""
        peer = call.needs_peer("workbin.stop_stream")
        self._lane.node.workbin_watchers.remove(peer.session_id, request.subscription)
        return Done()

    def _bin(self, call: Call, tenant: int, workbin: str, owner: str) -> Bin:
        """The workbin of an owner; who is an agent and nothing more sees only those it may use."""
        node = self._lane.node
        place = Bin(tenant, *workbin_of(node, tenant, workbin, owner))
        if is_bound_agent(call.principal) and place.owner_id not in self._owners(
            tenant, call.principal.name
        ):
            raise PacelineError(
                "not_allowed",
                f"'{call.principal.name}' may not use the workbin of '{owner}'",
                field="owner",
            )
        return place

    def _owners(self, tenant: int, agent: str) -> frozenset[int]:
        node = self._lane.node
        found = node.snapshot.agents.get((tenant, agent))
        session = node.agents.get((tenant, found[0])) if found is not None else None
        return owners_of(node.snapshot, tenant, agent, session.place_id if session else None)


class _Shown(NamedTuple):
    """What a view of the workbin shows of one owner's."""

    condition: Condition = And(())
    terms: tuple[OrderTerm, ...] = ()


_EVERYTHING = _Shown()


def _through(node: NodeState, place: Bin, view: str) -> _Shown:
    head = node.views.named(place.tenant_id, view)
    if head.queue_id != place.workbin_id:
        raise PacelineError(
            "invalid_attribute", f"'{view}' is a view of something else", field="view"
        )
    return _Shown(And((head.condition, IS_DUE)), head.selection.order)


def _inside(place: Bin) -> dict[str, int]:
    return {"state": QUEUED, "workbin_id": place.workbin_id, "workbin_owner_id": place.owner_id}

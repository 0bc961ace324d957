"""Snapshots: taking one, paging through it, moving what is in it, releasing it."""

from typing import NamedTuple, cast

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import And
from paceline.expressions.predicate import predicate
from paceline.expressions.tree import Condition, OrderTerm
from paceline.model.instant import to_text
from paceline.model.interaction_snapshot import InteractionSnapshot
from paceline.runtime.ids import is_client_id, request_id
from paceline.runtime.log import get_log
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.shown import shown
from paceline.servers.interaction.live.transitions import (
    QUEUED,
    place_in_queue,
    place_in_workbin,
    replace,
    stop,
)
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.servers.interaction.live.workbins import workbin_of
from paceline.servers.interaction.requests.lane import PAUSE_S, NodeLane, actor_of, coded
from paceline.servers.interaction.requests.once import answered, once, submit_once
from paceline.servers.interaction.requests.place import COMPLETED, completed_queues
from paceline.servers.interaction.requests.searches import parsed, smaller
from paceline.servers.interaction.requests.snapshot_locks import owner_of, without_lock
from paceline.servers.interaction.requests.workbin_room import NO_LIMIT, Room
from paceline.servers.interaction.rules.row_access import reader
from paceline.servers.interaction.rules.selection import IS_DUE
from paceline.servers.interaction.store.node import Key
from paceline.servers.interaction.store.selection import Wanted, select_ids
from paceline.servers.interaction.store.snapshots import read_items
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.once import Once, once_of
from paceline.wire.operation import Done
from paceline.wire.operations.snapshot import (
    MoveSnapshot,
    Skipped,
    SnapshotInteractions,
    SnapshotMoved,
    SnapshotPage,
    SnapshotRef,
    SnapshotTaken,
    TakeSnapshot,
)
from paceline.wire.page import checked_limit

OPTION = "max-interactions-per-snapshot"
LARGEST = 10_000
"""Largest value of the option; the interactions of a request that names no number."""

PART = 500
"""Interactions moved or unlocked in one turn of the lane, so that others come between (chosen)."""


_log = get_log("interaction.snapshots")


class _Selected(NamedTuple):
    condition: Condition
    terms: tuple[OrderTerm, ...]
    equal: dict[str, int | bool | str]


class SnapshotRequests:
    """Handlers of all snapshot operations."""

    def __init__(self, lane: NodeLane, database: Database) -> None:
        self._lane = lane
        self._database = database

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "snapshot.take": self.take,
            "snapshot.page": self.page,
            "snapshot.move": self.move,
            "snapshot.release": self.release,
        }

    async def take(self, call: Call, request: TakeSnapshot) -> SnapshotTaken:
        """Freezes the list; what has changed since it was selected is skipped with the reason."""
        known = await answered(self._lane, call, "snapshot.take", request, SnapshotTaken)
        if known is not None:
            return cast(SnapshotTaken, known)
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        limit = smaller(self._lane, request.max_interactions or LARGEST, OPTION)
        snapshot_id = request.snapshot_id or str(request_id())
        if not is_client_id(snapshot_id):
            raise PacelineError(
                "invalid_attribute", "1 to 64 of A-Z a-z 0-9 . _ ~ -", field="snapshot_id"
            )
        selected = self._selected(node, tenant, request)
        wanted = Wanted(tenant, selected.condition, selected.terms, selected.equal)
        now = node.times.business.now()
        ids = await select_ids(self._database, wanted, now=now, limit=limit)
        keys = tuple((tenant, interaction_id) for interaction_id in ids)
        head = InteractionSnapshot(
            tenant_id=tenant,
            snapshot_id=snapshot_id,
            owner=owner_of(call),
            view=request.view,
            condition=request.condition,
            sequence=request.order,
            is_locking=request.lock,
            taken_at=now,
            size=0,
        )

        def apply(node: NodeState) -> SnapshotTaken:
            if (known := node.snapshots.find(head.key)) is not None:
                node.snapshots.owned(head.key, head.owner, node.times.machine.now())
                return _answer(known, ())
            return _freeze(node, head, keys, selected)

        def let_go() -> None:
            self.let_go(head.key, once_of(call, "snapshot.take"))

        work = Work(apply, keys=keys, on_undelivered=lambda _: let_go())
        taken: SnapshotTaken = await submit_once(
            self._lane, call, "snapshot.take", request, work, SnapshotTaken
        )
        if call.peer is not None:
            call.peer.on_close(let_go)
        return taken

    def _selected(self, node: NodeState, tenant: int, request: TakeSnapshot) -> _Selected:
        condition, terms = parsed(node, tenant, request.condition, request.order)
        equal: dict[str, int | bool | str] = {}
        if request.check_state or request.lock or request.view is not None:
            equal = {"state": QUEUED, "is_locked": False}
        if request.view is None:
            return _Selected(condition, terms, equal)
        head = node.views.named(tenant, request.view)
        equal |= {"queue_id": head.queue_id, "is_held": False}
        return _Selected(And((head.condition, IS_DUE, condition)), terms or head.terms, equal)

    async def page(self, call: Call, request: SnapshotPage) -> SnapshotInteractions:
        """Interactions of a snapshot as they are now; those past their retention are named missing."""
        key = (call.tenant_of(request.tenant), request.snapshot_id)
        count = checked_limit(request.count)
        if request.start < 0:
            raise PacelineError("invalid_attribute", "start is at least 0", field="start")
        head = self._owned(call, key)
        ids = await read_items(self._database, key, request.start, count)
        keys = tuple((key[0], interaction_id) for interaction_id in ids)

        def apply(node: NodeState) -> SnapshotInteractions:
            found = [shown(node, each) for each in keys]
            missing = [each[1] for each, item in zip(keys, found, strict=True) if item is None]
            return SnapshotInteractions(
                snapshot_id=head.snapshot_id,
                start=request.start,
                size=head.size,
                interactions=tuple(item for item in found if item is not None),
                missing=tuple(missing),
            )

        answer: SnapshotInteractions = await self._lane.submit(
            call, Work(apply, keys=keys, reads_data=True)
        )
        return answer

    async def move(self, call: Call, request: MoveSnapshot) -> SnapshotMoved:
        """Moves part by part; each part is whole, and what failed before may be asked for again."""
        known = await answered(self._lane, call, "snapshot.move", request, SnapshotMoved)
        if known is not None:
            return cast(SnapshotMoved, known)
        key = (call.tenant_of(request.tenant), request.snapshot_id)
        if (request.queue, request.workbin, request.stop or None).count(None) != 2:
            raise PacelineError(
                "invalid_attribute", "name a queue, or a workbin, or stop", field="queue"
            )
        head = self._owned(call, key)
        ids = await read_items(self._database, key, 0, head.size)
        skipped: list[Skipped] = []
        if request.interaction_ids:
            inside = set(ids)
            skipped += [
                Skipped(interaction_id=each, reason="not in the snapshot")
                for each in request.interaction_ids
                if each not in inside
            ]
            ids = [each for each in request.interaction_ids if each in inside]
        moved = 0
        for first in range(0, len(ids), PART):
            part = tuple((key[0], each) for each in ids[first : first + PART])
            work = self._move_part(call, request, key, head, part)
            left: SnapshotMoved = await self._lane.submit(
                call,
                once(self._lane, call, "snapshot.move", request, work, SnapshotMoved, part=first),
            )
            moved += left.moved
            skipped += left.skipped
        answer = SnapshotMoved(snapshot_id=key[1], moved=moved, skipped=tuple(skipped))
        if call.idempotency_key is not None:
            work = Work(lambda _: answer)
            await submit_once(self._lane, call, "snapshot.move", request, work, SnapshotMoved)
        return answer

    def _move_part(
        self,
        call: Call,
        request: MoveSnapshot,
        key: Key,
        head: InteractionSnapshot,
        part: tuple[Key, ...],
    ) -> Work:
        actor = actor_of(call)
        ends = request.stop or request.queue in completed_queues(self._lane)
        room = NO_LIMIT
        if request.workbin is not None:
            room = Room.of(self._lane, key[0], request.workbin, request.owner or "")

        def apply(node: NodeState) -> SnapshotMoved:
            self._owned(call, key)
            queue_id = 0 if request.queue is None else node.queue_id(key[0], request.queue)
            place = None
            if request.workbin is not None:
                place = Bin(key[0], *workbin_of(node, key[0], request.workbin, request.owner or ""))
            skipped = []
            for each in part:
                reason = _obstacle(node, each, head)
                if reason is None and place is not None and not room.has_room(node, place):
                    reason = "the workbin is full"
                if reason is not None:
                    skipped.append(Skipped(interaction_id=each[1], reason=reason))
                    continue
                row = without_lock(node, node.row(each))
                if place is not None:
                    place_in_workbin(
                        node, row, place.workbin_id, place.owner_id, actor, request.reason
                    )
                    continue
                if queue_id:
                    row = place_in_queue(
                        node, row, queue_id, actor, reason=request.reason, as_new=True
                    )
                if ends:
                    stop(node, row, actor, request.reason or (COMPLETED if queue_id else None))
            moved = len(part) - len(skipped)
            return SnapshotMoved(snapshot_id=key[1], moved=moved, skipped=tuple(skipped))

        return Work(apply, keys=part, reads_data=True, bins=room.bins, reason=coded(request))

    async def release(self, call: Call, request: SnapshotRef) -> Done:
        """Unlocks what the snapshot locked and forgets it."""
        if await answered(self._lane, call, "snapshot.release", request, Done) is not None:
            return Done()
        key = (call.tenant_of(request.tenant), request.snapshot_id)
        self._owned(call, key)
        *unlocking, last = await self._release_works(key)
        for work in unlocking:
            await self._lane.submit(call, work)
        await submit_once(self._lane, call, "snapshot.release", request, last, Done)
        return Done()

    def let_go(self, key: Key, taken_under: Once | None = None) -> None:
        """Releases a snapshot whose client has gone or that nobody has asked for.

        Who repeats the taking with its key `taken_under` gets another one.
        """
        if self._lane.node.snapshots.find(key) is not None and not self._lane.is_closed:
            self._lane.start("release of a snapshot", self._let_go(key, taken_under))

    async def _let_go(self, key: Key, taken_under: Once | None) -> None:
        works: list[Work] = []
        while not works and not self._lane.is_closed:
            try:
                works = await self._release_works(key, taken_under)
            except PacelineError as error:
                _log.warning("a release is tried again", snapshot=key[1], why=error.message)
                await self._lane.node.times.machine.sleep(PAUSE_S)
        for work in works:
            await self._lane.carry_out(work)

    async def _release_works(self, key: Key, taken_under: Once | None = None) -> list[Work]:
        head = self._lane.node.snapshots.find(key)
        ids = await read_items(self._database, key, 0, head.size) if head is not None else []
        works = []
        if head is not None and head.is_locking:
            for first in range(0, len(ids), PART):
                part = tuple((key[0], each) for each in ids[first : first + PART])
                works.append(_unlock(part, key))

        def forget(node: NodeState) -> Done:
            if node.snapshots.find(key) is not None:
                node.snapshots.remove(key)
                node.pending.released.append(key)
            if taken_under is not None:
                node.forget_token(taken_under)
            return Done()

        return [*works, Work(forget)]

    def _owned(self, call: Call, key: Key) -> InteractionSnapshot:
        node = self._lane.node
        return node.snapshots.owned(key, owner_of(call), node.times.machine.now())


def _freeze(
    node: NodeState,
    head: InteractionSnapshot,
    keys: tuple[Key, ...],
    selected: _Selected,
) -> SnapshotTaken:
    test = predicate(selected.condition, reader)
    inside: list[Key] = []
    skipped: list[Skipped] = []
    for key in keys:
        row = node.known(key)
        reason = "finished"
        if row is not None:
            changed = {
                name for name, value in selected.equal.items() if getattr(row, name) != value
            }
            reason = ""
            if not changed.isdisjoint(("state", "is_locked")):
                reason = "not waiting any more"
            elif changed or test(row, node.now) is not True:
                reason = "not selected any more"
        if not reason:
            inside.append(key)
        else:
            skipped.append(Skipped(interaction_id=key[1], reason=reason))
    if head.is_locking:
        for key in inside:
            row = node.row(key)
            node.put(row, replace(row, is_locked=True, version=row.version + 1))
    taken = replace(head, size=len(inside))
    node.snapshots.add(taken, inside if head.is_locking else (), node.times.machine.now())
    node.pending.snapshots.append(taken)
    node.pending.snapshot_items += [(*head.key, place, key[1]) for place, key in enumerate(inside)]
    return _answer(taken, tuple(skipped))


def _answer(head: InteractionSnapshot, skipped: tuple[Skipped, ...]) -> SnapshotTaken:
    return SnapshotTaken(
        snapshot_id=head.snapshot_id,
        size=head.size,
        taken_at=to_text(head.taken_at),
        is_locking=head.is_locking,
        view=head.view,
        condition=head.condition,
        order=head.sequence,
        skipped=skipped,
    )


def _obstacle(node: NodeState, key: Key, head: InteractionSnapshot) -> str | None:
    """Why an interaction of a snapshot is not moved; None when it is."""
    row = node.known(key)
    if row is None:
        return "finished"
    if row.state != QUEUED:
        return "not waiting any more"
    if row.is_locked and node.snapshots.locks.get(key) != head.snapshot_id:
        return "locked by another"
    if head.is_locking and not row.is_locked:
        return "moved already"
    return None


def _unlock(part: tuple[Key, ...], snapshot: Key) -> Work:
    """Work that unlocks what the snapshot still locks."""

    def apply(node: NodeState) -> None:
        for key in part:
            if node.snapshots.locks.get(key) != snapshot[1]:
                continue
            if node.known(key) is None:
                node.snapshots.locks.pop(key)
            else:
                without_lock(node, node.row(key))

    return Work(apply, keys=part)

"""Joins the node's state, its store and its event log in one transaction per batch: the lane's owner."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.live.node import CodedReason, NodeState
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.store import agents as agent_store
from paceline.servers.interaction.store import custom_properties as property_store
from paceline.servers.interaction.store import node as store
from paceline.servers.interaction.store import parties as party_store
from paceline.servers.interaction.store import snapshots as snapshot_store
from paceline.servers.interaction.store import views as view_store
from paceline.servers.interaction.store import workbins as workbin_store
from paceline.servers.interaction.store.node import Key, TokenKey
from paceline.servers.interaction.store.workbins import BinKey
from paceline.storage.database import Engine, Transaction
from paceline.storage.lane import PUT_OFF

MOST_READS = 64
"""Of one head for one batch; a view with segments reads again for those that gave too few (chosen)."""
IN_DOUBT_S = 60.0
"""Machine seconds after a failed batch in which tokens are looked up. Who repeats a request has lost its
answer, mostly with many others, and asks for some ten seconds again: one batch fails for all of them
(chosen)."""


class Work(msgspec.Struct, eq=False):
    """One request for the lane: what it needs in memory, and how it changes the node.

    `apply` raises before it changes anything, or changes everything it wants to. `bins` are the
    workbins whose content it wants counted, `reason` is what the request gave with a code.
    `tokens` are looked up before it is decided. `new_tokens` it takes to be unused: it keeps its answer
    under them or is refused, and nothing else looks at them.
    """

    apply: Callable[[NodeState], Any]
    keys: Sequence[Key] = ()
    reads_data: bool = False
    pull: tuple[ViewHead, int] | None = None
    client_ids: Sequence[Key] = ()
    tokens: Sequence[TokenKey] = ()
    new_tokens: Sequence[TokenKey] = ()
    bins: Sequence[BinKey] = ()
    reason: CodedReason | None = None
    on_undelivered: Callable[[Any], None] | None = None

    def doing(self, apply: Callable[[NodeState], Any], *, tokens: Sequence[TokenKey]) -> "Work":
        """The same work done in another way, which looks at tokens too."""
        return msgspec.structs.replace(self, apply=apply, tokens=(*self.tokens, *tokens))


class Committer:
    """See `storage.lane.LaneOwner`; the order of its calls is promised there.

    A token that should be new and is not breaks its table's key, and the batch fails. Its works come again
    one by one, each with its tokens looked up, so that the first answer is given.
    """

    def __init__(self, node: NodeState, publisher: EventPublisher, engine: Engine) -> None:
        self._node = node
        self._publisher = publisher
        self._engine: Engine = engine
        self._is_stale = False
        self._in_doubt_until = 0.0
        self._is_in_doubt = False
        self._outcomes: list[Any] = []
        self._refused: list[tuple[int, Work]] = []
        self._parts: list[log_store.Part] = []

    async def prepare(self, transaction: Transaction, batch: Sequence[Work]) -> None:
        """Reads what the batch needs: rows, heads of views, used ids and tokens."""
        node = self._node
        node.begin()
        if self._is_stale:
            node.restore_agents(
                await agent_store.read_agents(transaction, node.names),
                await store.read_handled(transaction),
            )
            node.restore_parties(await party_store.read_parties(transaction))
            node.snapshots.restore(
                await snapshot_store.read_snapshots(transaction),
                await snapshot_store.read_locked(transaction),
                node.times.machine.now(),
            )
            self._is_stale = False
        # One piece alone is not repeated when it fails.
        self._is_in_doubt = len(batch) == 1 or node.times.machine.monotonic() < self._in_doubt_until
        wanted: dict[ViewHead, int] = {}
        keys: list[Key] = []
        with_data: list[Key] = []
        client_ids: list[Key] = []
        tokens: list[TokenKey] = []
        bins: list[BinKey] = []
        for work in batch:
            keys += work.keys
            if work.reads_data:
                with_data += work.keys
            if work.pull is not None:
                head, count = node.views.current(work.pull[0]), work.pull[1]
                wanted[head] = wanted.get(head, 0) + count
            client_ids += work.client_ids
            tokens += work.tokens
            if self._is_in_doubt:
                tokens += work.new_tokens
            bins += work.bins
        node.workbin_room.begin(await workbin_store.count_bins(transaction, bins) if bins else {})
        for head, count in wanted.items():
            ids = await self._refill(transaction, head, count)
            keys += ids
            with_data += ids
        await node.load(transaction, keys, with_data)
        await node.load_used(transaction, client_ids, tokens)

    async def _refill(self, transaction: Transaction, head: ViewHead, count: int) -> list[Key]:
        node = self._node
        if not node.views.counts_are_known:
            in_routing = await view_store.read_in_routing(transaction, shape=node.shape)
            node.views.restore_counts(in_routing)
        await self._look_for_due(transaction, head)
        head.begin(node.now)
        for _ in range(MOST_READS):
            read = head.next_read(count)
            if read is None:
                break
            rows = await view_store.read_head(
                transaction,
                self._engine,
                selection=head.selection,
                read=read,
                shape=node.shape,
                now=node.now,
            )
            head.fill(read, [row for row, _ in rows])
            node.remember(rows)
        return [(head.tenant_id, interaction_id) for interaction_id in head.first(count)]

    async def _look_for_due(self, transaction: Transaction, head: ViewHead) -> None:
        """Offers what was scheduled and became due since the last look at the head's queue."""
        node, queue_id = self._node, head.queue_id
        schedule = node.views.schedule
        if not schedule.is_due(queue_id, node.now):
            return
        seen_until = schedule.seen_until(queue_id)
        if seen_until is not None:
            rows = await view_store.read_due(
                transaction,
                tenant_id=head.tenant_id,
                queue_id=queue_id,
                after=seen_until,
                now=node.now,
                limit=head.size,
                shape=node.shape,
            )
            node.remember(rows)
            node.views.due(queue_id, [row for row, _ in rows], head.size, node.now)
        following = await view_store.read_next_due(
            transaction, tenant_id=head.tenant_id, queue_id=queue_id, after=node.now
        )
        schedule.looked(queue_id, node.now, following)

    def apply(self, batch: Sequence[Work]) -> list[Any]:
        """Decides on every piece in order; a pull from a head that the batch left short is put off."""
        self._outcomes = [
            PUT_OFF if place and self._is_short(work) else self._outcome(work)
            for place, work in enumerate(batch)
        ]
        self._refused.clear()
        if not self._is_in_doubt:
            self._refused += (
                (place, work)
                for place, work in enumerate(batch)
                if work.new_tokens and isinstance(self._outcomes[place], PacelineError)
            )
        return self._outcomes

    def _is_short(self, work: Work) -> bool:
        """Whether a pull would have to read: earlier work took what it was to get, or freed a limit."""
        if work.pull is None:
            return False
        node = self._node
        head, count = node.views.current(work.pull[0]), work.pull[1]
        if not node.views.counts_are_known or head.next_read(count) is not None:
            return True
        return not all(node.is_loaded((head.tenant_id, each)) for each in head.first(count))

    def _outcome(self, work: Work) -> Any:
        node = self._node
        node.reason = work.reason
        try:
            return work.apply(node)
        except PacelineError as refusal:
            return refusal

    def has_changes(self) -> bool:
        """Whether the batch changed anything, or asks about tokens what only `write` can."""
        return self._node.pending.has_changes() or bool(self._refused)

    def fence_values(self) -> Sequence[object]:
        """The node row's counters after this batch."""
        return msgspec.structs.astuple(self._node.counter_values())[1:]

    async def write(self, transaction: Transaction) -> None:
        """Writes all changes and their events."""
        pending = self._node.pending
        if self._refused:
            await self._look_again(transaction)
        await self._write_interactions(transaction)
        if pending.property_states:
            states = list(pending.property_states.items())
            await property_store.write_states(transaction, states)
        await self._write_used(transaction)
        if pending.agents:
            agents = self._node.agents
            present = [agents[key] for key in pending.agents if key in agents]
            await agent_store.write_agents(transaction, list(pending.agents), present)
        if pending.parties:
            keys = sorted(pending.parties)
            parties = [p for key in keys for p in self._node.parties.get(key, {}).values()]
            await party_store.write_parties(transaction, keys, parties)
        if pending.snapshots:
            await snapshot_store.write_snapshots(
                transaction, pending.snapshots, pending.snapshot_items
            )
        if pending.released:
            await snapshot_store.delete_snapshots(transaction, pending.released)
        if pending.events:
            self._parts = [
                part
                for tenant, events in pending.events.items()
                for part in log_store.parts_of(tenant, events)
            ]
            await log_store.append(transaction, self._parts, self._node.now)

    async def _look_again(self, transaction: Transaction) -> None:
        """Gives the first answer to who was refused for what has changed since then."""
        node = self._node
        tokens = [token for _, work in self._refused for token in work.new_tokens]
        await node.load_used(transaction, (), tokens)
        for place, work in self._refused:
            if any(node.token(token) is not None for token in work.new_tokens):
                self._outcomes[place] = self._outcome(work)

    async def _write_used(self, transaction: Transaction) -> None:
        pending = self._node.pending
        if pending.client_ids:
            await store.write_client_ids(transaction, pending.client_ids)
        if pending.forgotten_tokens:
            await store.delete_tokens(transaction, pending.forgotten_tokens)
        if pending.tokens:
            await store.write_tokens(transaction, pending.tokens)

    async def _write_interactions(self, transaction: Transaction) -> None:
        pending, shape = self._node.pending, self._node.shape
        if pending.inserted or pending.new_data:
            data = [(*key, text) for key, text in pending.new_data.items()]
            await store.write_new(transaction, list(pending.inserted.values()), data, shape)
        if pending.updated:
            await store.write_changed(transaction, list(pending.updated.values()))
        if pending.custom:
            custom = [pending.updated[key] for key in pending.custom if key in pending.updated]
            await store.write_custom(transaction, custom, shape)
        if pending.destinations:
            keys = pending.destinations
            changed_rows = [pending.updated[key] for key in keys if key in pending.updated]
            await store.write_destinations(transaction, changed_rows)
        if pending.changed_data:
            changed = [(*key, text) for key, text in pending.changed_data.items()]
            await store.write_data(transaction, changed)
        if pending.finished:
            finished = list(pending.finished.values())
            await store.write_finished(transaction, finished, pending.moved, shape)

    def committed(self, batch: Sequence[Work], outcomes: Sequence[Any]) -> None:
        """The changes are durable: publishes events, wakes held pulls, sends notices."""
        done = self._node.settle()
        if done.events:
            self._publisher.publish(self._parts)
        self._node.views.wake()
        if done.agents:
            self._node.on_agents_changed(done.agents)
        for act in done.after_commit:
            act()

    def discard(self) -> None:
        """Nothing of the batch is in the database: forgets all that may come from it."""
        self._node.forget()
        self._is_stale = True
        self._in_doubt_until = self._node.times.machine.monotonic() + IN_DOUBT_S

    def undelivered(self, work: Work, outcome: Any) -> None:
        """The caller has gone meanwhile."""
        if work.on_undelivered is not None and not isinstance(outcome, Exception):
            work.on_undelivered(outcome)

"""Joins the node's state, its store and its event log in one transaction per batch: the lane's owner."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.store import agents as agent_store
from paceline.servers.interaction.store import node as store
from paceline.servers.interaction.store.node import Key, TokenKey
from paceline.storage.database import Engine, Transaction


class Work:
    """One request for the lane: what it needs in memory, and how it changes the node.

    `apply` raises before it changes anything, or changes everything it wants to.
    """

    __slots__ = ("apply", "client_ids", "keys", "on_undelivered", "pull", "reads_data", "tokens")

    def __init__(
        self,
        apply: Callable[[NodeState], Any],
        *,
        keys: Sequence[Key] = (),
        reads_data: bool = False,
        pull: tuple[ViewHead, int] | None = None,
        client_ids: Sequence[Key] = (),
        tokens: Sequence[TokenKey] = (),
        on_undelivered: Callable[[Any], None] | None = None,
    ) -> None:
        self.apply = apply
        self.keys = keys
        self.reads_data = reads_data
        self.pull = pull
        self.client_ids = client_ids
        self.tokens = tokens
        self.on_undelivered = on_undelivered


class Committer:
    """See `storage.lane.LaneOwner`; the order of its calls is promised there."""

    def __init__(self, node: NodeState, publisher: EventPublisher, engine: Engine) -> None:
        self._node = node
        self._publisher = publisher
        self._engine: Engine = engine
        self._is_stale = False

    async def prepare(self, transaction: Transaction, batch: Sequence[Work]) -> None:
        """Reads what the batch needs: rows, heads of views, used ids and tokens."""
        node = self._node
        node.begin()
        if self._is_stale:
            node.restore_agents(
                await agent_store.read_agents(transaction, node.names),
                await store.read_handled(transaction),
            )
            self._is_stale = False
        wanted: dict[ViewHead, int] = {}
        keys: list[Key] = []
        with_data: list[Key] = []
        client_ids: list[Key] = []
        tokens: list[TokenKey] = []
        for work in batch:
            keys += work.keys
            if work.reads_data:
                with_data += work.keys
            if work.pull is not None:
                head, count = work.pull
                wanted[head] = wanted.get(head, 0) + count
            client_ids += work.client_ids
            tokens += work.tokens
        # Other work of the batch may take as many out of a head before it is pulled from.
        taken_before = sum(node.may_wait(key) for key in keys) if wanted else 0
        for head, count in wanted.items():
            ids = await self._refill(transaction, head, count + taken_before)
            keys += ids
            with_data += ids
        await node.load(transaction, keys, with_data)
        await node.load_used(transaction, client_ids, tokens)

    async def _refill(self, transaction: Transaction, head: ViewHead, count: int) -> list[Key]:
        if head.depends_on_time:
            head.forget()
        if head.needs_refill(count):
            limit = max(head.size, count)
            after = head.floor if not head.terms else None
            if after is None:
                head.forget()
            rows = await store.read_head(
                transaction,
                self._engine,
                tenant_id=head.tenant_id,
                queue_id=head.queue_id,
                condition=head.condition,
                terms=head.terms,
                after=after,
                now=self._node.now,
                limit=limit,
            )
            head.refill([row for row, _ in rows], limit)
            self._node.remember(rows)
        return [(head.tenant_id, interaction_id) for interaction_id in head.first(count)]

    def apply(self, batch: Sequence[Work]) -> list[Any]:
        """Decides on every piece in order."""
        node = self._node
        outcomes: list[Any] = []
        for work in batch:
            try:
                outcomes.append(work.apply(node))
            except PacelineError as refusal:
                outcomes.append(refusal)
        return outcomes

    def has_changes(self) -> bool:
        """Whether the batch changed anything."""
        return self._node.pending.has_changes()

    def fence_values(self) -> Sequence[object]:
        """The node row's counters after this batch."""
        return msgspec.structs.astuple(self._node.counter_values())[1:]

    async def write(self, transaction: Transaction) -> None:
        """Writes all changes and their events."""
        pending = self._node.pending
        if pending.inserted or pending.new_data:
            data = [(*key, text) for key, text in pending.new_data.items()]
            await store.write_new(transaction, list(pending.inserted.values()), data)
        if pending.updated:
            await store.write_changed(transaction, list(pending.updated.values()))
        if pending.changed_data:
            await store.write_data(
                transaction, [(*key, text) for key, text in pending.changed_data.items()]
            )
        if pending.finished:
            await store.write_finished(transaction, list(pending.finished.values()), pending.moved)
        if pending.client_ids:
            await store.write_client_ids(transaction, pending.client_ids)
        if pending.tokens:
            await store.write_tokens(transaction, pending.tokens)
        if pending.agents:
            agents = self._node.agents
            present = [agents[key] for key in pending.agents if key in agents]
            await agent_store.write_agents(transaction, list(pending.agents), present)
        if pending.events:
            await log_store.append(
                transaction,
                [
                    (tenant, to_millis(events[0].at, field="at"), self._node.now, events)
                    for tenant, events in pending.events.items()
                ],
            )

    def committed(self, batch: Sequence[Work], outcomes: Sequence[Any]) -> None:
        """The changes are durable: publishes events, wakes held pulls, sends notices."""
        done = self._node.settle()
        for tenant, events in done.events.items():
            self._publisher.publish(tenant, events)
        self._node.views.wake()
        for act in done.after_commit:
            act()

    def discard(self) -> None:
        """Nothing of the batch is in the database: forgets all that may come from it."""
        self._node.forget()
        self._is_stale = True

    def undelivered(self, work: Work, outcome: Any) -> None:
        """The caller has gone meanwhile."""
        if work.on_undelivered is not None and not isinstance(outcome, Exception):
            work.on_undelivered(outcome)

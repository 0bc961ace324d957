"""All views of a node: their heads by queue, and the pulls that wait for something to arrive in them."""

import asyncio
from collections.abc import Iterable, Sequence

from paceline.errors.failure import PacelineError
from paceline.expressions.tree import OrderTerm
from paceline.model.configuration import View
from paceline.model.interaction import InteractionState, Row
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.interaction.live.schedule import Schedule
from paceline.servers.interaction.live.segmented_head import SegmentedHead
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.live.view_limits import ViewLimits
from paceline.servers.interaction.rules.custom_values import CustomValues
from paceline.servers.interaction.rules.selection import Selection
from paceline.servers.interaction.rules.view_selection import selection_of, selects

ROUTING = int(InteractionState.ROUTING)
LEAST_CHECK_MS = 1000
"""Business time between two looks of a held pull at a view that depends on time (chosen)."""

_FIX = "correct the view"


class Views:
    """Heads of all views that can be read; findings about the others."""

    def __init__(self, head_size: int) -> None:
        self.head_size = head_size
        self.findings: list[Finding] = []
        self.schedule = Schedule()
        self.counts_are_known = True
        self._heads: dict[tuple[int, str], ViewHead] = {}
        self._views: dict[tuple[int, str], View] = {}
        self._by_queue: dict[int, list[ViewHead]] = {}
        self._by_id: dict[int, ViewHead] = {}
        self._counted: dict[int, ViewHead] = {}
        self._waiting: dict[int, dict[asyncio.Future[None], None]] = {}
        self._offered: set[int] = set()

    # --- configuration --------------------------------------------------------------------------

    def configure(self, snapshot: ConfigurationSnapshot, custom: CustomValues) -> None:
        """Builds the heads of new and changed views; unchanged ones keep theirs."""
        self.findings = []
        old_heads = self._heads
        changed: set[int] = set()
        self._heads, self._views = {}, {}
        for (tenant, name), (view_id, view) in snapshot.views.items():
            try:
                selection = selection_of(snapshot, tenant, view, custom.known(tenant))
            except PacelineError as error:
                self._finding(name, error)
                continue
            head = old_heads.get((tenant, name))
            if head is None or not _is_same(head, view_id, view, selection):
                head = _new_head(view_id, view, selection, self.head_size)
                changed.add(view_id)
            self._heads[tenant, name] = head
            self._views[tenant, name] = view
        self._by_id = {head.view_id: head for head in self._heads.values()}
        self._by_queue = {}
        for head in self._heads.values():
            self._by_queue.setdefault(head.queue_id, []).append(head)
        self._count_anew()
        self._wake(changed)

    def _count_anew(self) -> None:
        counted = {head.view_id: head for head in self._heads.values() if head.limits.is_limited}
        if any(self._counted.get(view_id) is not head for view_id, head in counted.items()):
            self.counts_are_known = False
        self._counted = counted

    def _finding(self, view: str, error: PacelineError) -> None:
        problem = f"nothing can be pulled from it: {error.message}"
        self.findings.append(Finding(f"view '{view}'", error.field or "condition", problem, _FIX))

    # --- look-up --------------------------------------------------------------------------------

    def named(self, tenant: int, name: str) -> ViewHead:
        """The head of a view; `invalid_attribute` when the view does not exist or cannot be read."""
        head = self._heads.get((tenant, name))
        if head is None:
            raise PacelineError(
                "invalid_attribute",
                f"view '{name}' does not exist in tenant {tenant} or is faulty; see /v1/findings",
                field="view",
            )
        return head

    def current(self, head: ViewHead) -> ViewHead:
        """The head that a view has now: a change of the configuration may have made a new one."""
        return self._by_id.get(head.view_id, head)

    def all_of(self, tenant: int) -> list[tuple[str, View, ViewHead]]:
        """Views of a tenant by name."""
        names = sorted(name for owner, name in self._heads if owner == tenant)
        return [(name, self._views[tenant, name], self._heads[tenant, name]) for name in names]

    def own_orders(self) -> set[tuple[OrderTerm, ...]]:
        """The orders that are not the default one; with scheduled ones first no index serves them."""
        selections = [head.selection for head in self._heads.values()]
        return {each.terms for each in selections if each.terms and not each.scheduling}

    # --- changes --------------------------------------------------------------------------------

    def offer(self, row: Row, now: int) -> None:
        """A waiting interaction is there for the views of its queue, at once or when it is due."""
        heads = self._by_queue.get(row.queue_id, ())
        if row.scheduled_at is not None and row.scheduled_at > now:
            self.schedule.add(row)
            self._offered.update(head.view_id for head in heads)  # held pulls look when it is due
            return
        for head in heads:
            if head.offer(row, now) or head.depends_on_time or not head.is_complete:
                self._offered.add(head.view_id)

    def remove(self, row: Row) -> None:
        """An interaction waits no longer in its queue."""
        for head in self._by_queue.get(row.queue_id, ()):
            head.remove(row)

    def moved(self, old: Row | None, new: Row | None) -> None:
        """Counts what goes into routing or out of it, of views that limit that."""
        if not self._counted:
            return
        before, after = self._counting(old), self._counting(new)
        if old is not None and before is not None:
            if new is not None and before is after and before.is_same_segment(old, new):
                return
            before.count(old, -1)
            self._offered.add(before.view_id)
        if new is not None and after is not None:
            after.count(new, 1)

    def _counting(self, row: Row | None) -> ViewHead | None:
        """The limited view out of which the interaction is in routing."""
        if row is None or row.state != ROUTING or row.view_id is None:
            return None
        return self._counted.get(row.view_id)

    def restore_counts(self, in_routing: Iterable[Row]) -> None:
        """Counts the stored interactions that are in routing."""
        for head in self._counted.values():
            head.clear_counts()
        for row in in_routing:
            if row.view_id in self._counted:
                self._counted[row.view_id].count(row, 1)
        self.counts_are_known = True

    def forget(self) -> None:
        """Empties all heads; the next pulls read them anew."""
        self._offered.clear()
        self.schedule.forget()
        self.counts_are_known = not self._counted
        for head in self._heads.values():
            head.forget()

    def due(self, queue_id: int, rows: Sequence[Row], limit: int, now: int) -> None:
        """Scheduled interactions of a queue whose time has come; `limit` of them may not be all."""
        if len(rows) >= limit:
            for head in self._by_queue.get(queue_id, ()):
                head.forget()
            return
        for row in rows:
            self.remove(row)
            self.offer(row, now)

    # --- held pulls -----------------------------------------------------------------------------

    def arrival(self, view_id: int) -> "asyncio.Future[None]":
        """Done when something may have arrived in the view; first come, first woken."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(view_id, {})[future] = None
        future.add_done_callback(lambda done: self._forget_arrival(view_id, done))
        return future

    def _forget_arrival(self, view_id: int, done: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(view_id, {})
        waiting.pop(done, None)
        if not waiting:
            self._waiting.pop(view_id, None)

    def next_look(self, head: ViewHead, now: int) -> int | None:
        """The business instant at which time alone may have put something into the view."""
        due = self.schedule.next_at(head.queue_id)
        if not head.depends_on_time:
            return due
        check = now + max(head.check_ms, LEAST_CHECK_MS)
        return check if due is None else min(due, check)

    def wake(self) -> None:
        """After a commit: wakes the pulls that wait on views which were offered something."""
        if self._offered:
            self._wake(self._offered)
            self._offered.clear()

    def _wake(self, view_ids: set[int]) -> None:
        for view_id in view_ids & self._waiting.keys():
            for future in self._waiting.pop(view_id):
                if not future.done():
                    future.set_result(None)


def _new_head(view_id: int, view: View, selection: Selection, size: int) -> ViewHead:
    kind = SegmentedHead if view.segment_limit and selection.segment is not None else ViewHead
    return kind(
        view_id=view_id,
        selection=selection,
        test=selects(selection),
        size=size,
        limits=_limits(view),
        check_ms=int(view.check_interval * 1000),
    )


def _limits(view: View) -> ViewLimits:
    return ViewLimits(view.max_interactions, view.segment_limit)


def _is_same(head: ViewHead, view_id: int, view: View, selection: Selection) -> bool:
    return (
        head.view_id == view_id
        and head.selection == selection
        and head.check_ms == int(view.check_interval * 1000)
        and head.limits.is_like(_limits(view))
    )

"""All views of a node: their heads by queue, and the pulls that wait for something to arrive in them."""

import asyncio
from collections import defaultdict
from operator import attrgetter

from paceline.errors.failure import PacelineError
from paceline.expressions.predicate import predicate
from paceline.expressions.view_parse import bind_names, parse_condition, parse_order
from paceline.model.configuration import View
from paceline.model.interaction import Row
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.interaction.live.view_head import ViewHead


class Views:
    """Heads of all views that can be read; findings about the others."""

    def __init__(self, head_size: int) -> None:
        self.head_size = head_size
        self.findings: list[Finding] = []
        self._heads: dict[tuple[int, str], ViewHead] = {}
        self._views: dict[tuple[int, str], View] = {}
        self._by_queue: dict[int, list[ViewHead]] = {}
        self._waiting: defaultdict[int, list[asyncio.Future[None]]] = defaultdict(list)
        self._offered: set[int] = set()

    def configure(self, snapshot: ConfigurationSnapshot) -> None:
        """Builds the heads of new and changed views; unchanged ones keep theirs."""
        self.findings = []
        old_heads, old_views = self._heads, self._views
        self._heads, self._views = {}, {}
        for (tenant, name), (view_id, view) in snapshot.views.items():
            head = old_heads.get((tenant, name))
            if head is None or old_views[tenant, name] != view or head.view_id != view_id:
                head = self._built(snapshot, tenant, name, view_id, view)
            if head is not None:
                self._heads[tenant, name] = head
                self._views[tenant, name] = view
        self._by_queue = {}
        for head in self._heads.values():
            self._by_queue.setdefault(head.queue_id, []).append(head)

    def _built(
        self, snapshot: ConfigurationSnapshot, tenant: int, name: str, view_id: int, view: View
    ) -> ViewHead | None:
        queue_id = snapshot.queues.get((tenant, view.queue))
        if queue_id is None:
            self._finding(name, "queue", f"queue '{view.queue}' does not exist")
            return None

        try:
            condition = bind_names(
                parse_condition(view.condition),
                lambda referred, text: snapshot.id_named(tenant, referred, text),
            )
            terms = parse_order(view.order)
        except PacelineError as error:
            self._finding(name, error.field or "condition", error.message)
            return None
        return ViewHead(
            view_id=view_id,
            tenant_id=tenant,
            queue_id=queue_id,
            condition=condition,
            terms=terms,
            test=predicate(condition, attrgetter),
            size=self.head_size,
        )

    def _finding(self, view: str, field: str, problem: str) -> None:
        self.findings.append(
            Finding(
                f"view '{view}'",
                field,
                f"nothing can be pulled from it: {problem}",
                "correct the view",
            )
        )

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

    def all_of(self, tenant: int) -> list[tuple[str, View, ViewHead]]:
        """Views of a tenant by name."""
        names = sorted(name for owner, name in self._heads if owner == tenant)
        return [(name, self._views[tenant, name], self._heads[tenant, name]) for name in names]

    def offer(self, row: Row, now: int) -> None:
        """A waiting interaction is there for the views of its queue."""
        for head in self._by_queue.get(row.queue_id, ()):
            if head.offer(row, now) or head.depends_on_time or not head.is_complete:
                self._offered.add(head.view_id)

    def remove(self, row: Row) -> None:
        """An interaction waits no longer in its queue."""
        for head in self._by_queue.get(row.queue_id, ()):
            head.remove(row)

    def forget(self) -> None:
        """Empties all heads; the next pulls read them anew."""
        self._offered.clear()
        for head in self._heads.values():
            head.forget()

    # --- held pulls -----------------------------------------------------------------------------

    def arrival(self, view_id: int) -> "asyncio.Future[None]":
        """Done when something may have arrived in the view; first come, first woken."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[view_id].append(future)
        return future

    def wake(self) -> None:
        """After a commit: wakes the pulls that wait on views which were offered something."""
        if self._offered:
            for view_id in self._offered & set(self._waiting):
                for future in self._waiting.pop(view_id):
                    if not future.done():
                        future.set_result(None)
            self._offered.clear()

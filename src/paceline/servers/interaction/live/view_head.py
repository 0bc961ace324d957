"""The head of one view: its best interactions in exact order, bounded, the rest in the database.

Kept true by the node's state with every change; never hands ownership out. All interactions of the
view up to `floor` are in the head; a newcomer beyond it stays in the database until a refill.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from paceline.expressions.connectives import leaves
from paceline.expressions.tree import Age, Condition, CurrentTime, OrderTerm
from paceline.model.interaction import Row
from paceline.servers.interaction.rules.order_key import OrderKey, order_key

Entry = tuple[OrderKey, str]
"""Order key and interaction id."""


class ViewHead:
    """One view's head.

    Parameters
    ----------
    terms
        The view's order; empty for the default one.
    size
        How many entries a refill brings; at most twice as many are kept.
    """

    def __init__(
        self,
        *,
        view_id: int,
        tenant_id: int,
        queue_id: int,
        condition: Condition,
        terms: tuple[OrderTerm, ...],
        test: Callable[[Row, int], bool | None],
        size: int,
    ) -> None:
        self.view_id = view_id
        self.tenant_id = tenant_id
        self.queue_id = queue_id
        self.condition = condition
        self.terms = terms
        self.depends_on_time = depends_on_time(condition)
        self.size = size
        self._test = test
        self._key = order_key(terms)
        self._entries: list[Entry] = []
        self.floor: OrderKey | None = None
        self.is_complete = False

    def __len__(self) -> int:
        return len(self._entries)

    def needs_refill(self, wanted: int) -> bool:
        """Whether more must be read before `wanted` can be taken in order."""
        return not self.is_complete and len(self._entries) < wanted

    def first(self, count: int) -> list[str]:
        """Ids of the best entries; they stay."""
        return [entry[1] for entry in self._entries[:count]]

    def take(self, count: int) -> list[str]:
        """Removes the best entries and gives their ids."""
        taken = [entry[1] for entry in self._entries[:count]]
        del self._entries[:count]
        return taken

    def accepts(self, row: Row, now: int) -> bool:
        """Whether the view selects this waiting interaction."""
        return self._test(row, now) is True

    def offer(self, row: Row, now: int) -> bool:
        """Takes a waiting interaction in if the view selects it; True when it stands in the head."""
        if not self.accepts(row, now):
            return False
        key = self._key(row)
        if not self.is_complete and (self.floor is None or key > self.floor):
            return False
        insort(self._entries, (key, row.interaction_id))
        if len(self._entries) > 2 * self.size:
            del self._entries[self.size :]
            self.floor = self._entries[-1][0]
            self.is_complete = False
        return True

    def remove(self, row: Row) -> None:
        """Takes an interaction out; one that is not in the head is no matter."""
        entry = (self._key(row), row.interaction_id)
        place = bisect_left(self._entries, entry)
        if place < len(self._entries) and self._entries[place] == entry:
            del self._entries[place]

    def refill(self, rows: Sequence[Row], limit: int) -> None:
        """Adds the next rows beyond the floor, as the database gave them; fewer than `limit` is all."""
        self._entries += [(self._key(row), row.interaction_id) for row in rows]
        if self._entries:
            self.floor = self._entries[-1][0]
        self.is_complete = len(rows) < limit

    def forget(self) -> None:
        """Empties the head; the next pull reads it anew."""
        self._entries.clear()
        self.floor = None
        self.is_complete = False


def depends_on_time(condition: Condition) -> bool:
    """Whether the selection changes by the mere passing of time, so that a head cannot be kept."""
    return any(
        isinstance(operand, Age | CurrentTime)
        for leaf in leaves(condition)
        for operand in (getattr(leaf, name, None) for name in ("left", "right", "operand"))
    )

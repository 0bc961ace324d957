"""The head of one view: its best interactions in exact order, bounded, the rest in the database.

Kept true by the node's state with every change; never hands ownership out. All interactions of the
view up to `floor` are in the head; a newcomer beyond it stays in the database until it is read.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from paceline.expressions.tree import depends_on_time
from paceline.model.interaction import Row
from paceline.servers.interaction.live.view_limits import ViewLimits
from paceline.servers.interaction.rules.order_key import OrderKey, order_key
from paceline.servers.interaction.rules.row_access import reader
from paceline.servers.interaction.rules.selection import HeadRead, Segment, Selection

Entry = tuple[OrderKey, str]
"""Order key and interaction id."""

FEW = 16
"""Least number read for a view that is read with every pull (chosen: a router's pulls of one batch)."""


class ViewHead:
    """One view's head.

    Parameters
    ----------
    size
        How many entries a read brings; at most twice as many are kept.
    check_ms
        How long the head of a condition that depends on time is kept; 0 = it is read for every pull.
    """

    def __init__(
        self,
        *,
        view_id: int,
        selection: Selection,
        test: Callable[[Row, int], bool | None],
        size: int,
        limits: ViewLimits,
        check_ms: int = 0,
    ) -> None:
        self.view_id = view_id
        self.selection = selection
        self.tenant_id = selection.tenant_id
        self.queue_id = selection.queue_id
        self.condition = selection.condition
        self.terms = selection.terms
        self.depends_on_time = depends_on_time(selection.condition)
        self.check_ms = check_ms
        self.limits = limits
        self.size = size
        self.floor: OrderKey | None = None
        self.is_complete = False
        self._test = test
        self._key = order_key(selection.terms, selection.scheduling)
        self._goes_on = not selection.terms and not selection.scheduling
        self._segment = reader(selection.segment.column) if selection.segment else None
        self._entries: list[Entry] = []
        self._read_at: int | None = None
        self._bound = 2 * size

    def __len__(self) -> int:
        return len(self._entries)

    # --- reading --------------------------------------------------------------------------------

    def begin(self, now: int) -> None:
        """Before pulls: a head that time has made untrue is emptied."""
        if self.depends_on_time and (
            self._read_at is None or now - self._read_at >= self.check_ms or now < self._read_at
        ):
            self.forget()
            self._read_at = now

    def next_read(self, wanted: int) -> HeadRead | None:
        """What must be read before `wanted` can be taken in order; None when nothing is missing."""
        wanted = min(wanted, self.limits.allowed())
        if self.is_complete or self._knows(wanted):
            return None
        least = FEW if self.depends_on_time and not self.check_ms else self.size
        after = self.floor if self._goes_on and not self.depends_on_time else None
        return HeadRead(limit=max(least, wanted), after=after)

    def _knows(self, wanted: int) -> bool:
        """Whether the best `wanted` are in the head, though the database holds more."""
        return len(self._entries) >= wanted

    def fill(self, read: HeadRead, rows: Sequence[Row]) -> None:
        """Takes what was read, in the order that the database gave; fewer than the limit is all."""
        if read.after is None:
            self._entries.clear()
        self._entries += [(self._key(row), row.interaction_id) for row in rows]
        if self._entries:
            self.floor = self._entries[-1][0]
        self.is_complete = len(rows) < read.limit
        self._bound = 2 * max(self.size, len(self._entries))

    def first(self, count: int) -> list[str]:
        """Ids of the best entries that the view gives now; they stay."""
        return [entry[1] for entry in self._entries[: min(count, self.limits.allowed())]]

    # --- changing -------------------------------------------------------------------------------

    def take(self, count: int) -> None:
        """Removes the best entries."""
        del self._entries[:count]

    def accepts(self, row: Row, now: int) -> bool:
        """Whether the view selects this waiting interaction now."""
        if row.scheduled_at is not None and row.scheduled_at > now:
            return False
        return self._test(row, now) is True

    def offer(self, row: Row, now: int) -> bool:
        """Takes a waiting interaction in if the view selects it; True when it stands in the head."""
        if not self.accepts(row, now):
            return False
        key = self._key(row)
        if not self.is_complete and (self.floor is None or key > self.floor):
            return False
        insort(self._entries, (key, row.interaction_id))
        if len(self._entries) > self._bound:
            del self._entries[self._bound // 2 :]
            self.floor = self._entries[-1][0]
            self.is_complete = False
        return True

    def remove(self, row: Row) -> None:
        """Takes an interaction out; one that is not in the head is no matter."""
        discard(self._entries, (self._key(row), row.interaction_id))

    def forget(self) -> None:
        """Empties the head; the next pull reads it anew."""
        self._entries.clear()
        self.floor = None
        self.is_complete = False
        self._read_at = None

    def count(self, row: Row, by: int) -> None:
        """An interaction of the view went into routing (1) or out of it (-1)."""
        self.limits.change(self.segment_of(row), by)

    def clear_counts(self) -> None:
        """Nothing is counted; the rows that are in routing follow."""
        self.limits.clear()
        self.forget()

    def is_same_segment(self, old: Row, new: Row) -> bool:
        """Whether a change leaves the interaction in its segment."""
        return self.segment_of(old) == self.segment_of(new)

    def segment_of(self, row: Row) -> Segment:
        """The value of the segmenting property; None in a view without segments."""
        value: Segment = self._segment(row) if self._segment is not None else None
        return value


def discard(entries: list[Entry], entry: Entry) -> int | None:
    """Takes an entry out of a sorted list; its place, None when it is not there."""
    place = bisect_left(entries, entry)
    if place < len(entries) and entries[place] == entry:
        del entries[place]
        return place
    return None

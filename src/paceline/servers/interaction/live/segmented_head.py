"""The head of a view with segments: exact order, and never more of a segment than its limit gives.

Each segment has a lane of its entries in order; those that the segment's limit gives now are
exposed in the view's order. A full segment may fill the database: it is left out when reading.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from itertools import islice

from paceline.model.interaction import Row
from paceline.servers.interaction.live.view_head import Entry, ViewHead, discard
from paceline.servers.interaction.live.view_limits import ViewLimits
from paceline.servers.interaction.rules.order_key import OrderKey
from paceline.servers.interaction.rules.selection import HeadRead, Segment, Selection

SPARE = 8
"""Entries of a segment read beyond what it gives now, so that not every end reads again (chosen)."""

MOST_LEFT_OUT = 10_000
"""Segments that one statement leaves out: within every engine's number of parameters (chosen)."""

MOST_HUNGRY = 16
"""Segments that are read one by one; when more give again, the whole head is read anew (chosen)."""

NOTHING: OrderKey = ()
"""Before every key."""


class SegmentedHead(ViewHead):
    """See the module. `_gaps` says of a segment up to which key it is known, None = whole;
    of one that it does not name, all up to `floor` is known.
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
        super().__init__(
            view_id=view_id,
            selection=selection,
            test=test,
            size=size,
            limits=limits,
            check_ms=check_ms,
        )
        self._lanes: dict[Segment, list[Entry]] = {}
        self._segments: dict[str, Segment] = {}
        self._gaps: dict[Segment, OrderKey | None] = {}
        self._hungry: set[Segment] = set()

    def begin(self, now: int) -> None:
        """Before pulls: also a head with very many segments to read again is emptied."""
        super().begin(now)
        if len(self._hungry) > MOST_HUNGRY:
            self.forget()

    def next_read(self, wanted: int) -> HeadRead | None:
        """First segments that give more than is known of them, then whatever else the view has."""
        for segment in self._hungry:
            return HeadRead(limit=self.limits.free(segment) + SPARE, only=(segment,))
        read = super().next_read(wanted)
        if read is None:
            return None
        satisfied = (s for s, lane in self._lanes.items() if len(lane) >= self.limits.free(s))
        left_out = dict.fromkeys([*self.limits.full(), *satisfied])
        return HeadRead(limit=read.limit, without=tuple(islice(left_out, MOST_LEFT_OUT)))

    def _knows(self, wanted: int) -> bool:
        """A segment may be known beyond the floor, where others are not."""
        if not wanted:
            return True
        if self.floor is None or len(self._entries) < wanted:
            return False
        return self._entries[wanted - 1][0] <= self.floor

    def fill(self, read: HeadRead, rows: Sequence[Row]) -> None:
        """Takes what was read: one segment anew, or all but those left out anew."""
        entries = [(self._key(row), row.interaction_id) for row in rows]
        if read.only is not None:
            segment = read.only[0]
            self._drop(segment)
            is_whole = len(rows) < read.limit
            self._gaps[segment] = None if is_whole else entries[-1][0]
            self._add(segment, entries)
            self._hungry.discard(segment)
            return
        kept = set(read.without)
        known = self._known_up_to()
        for segment in [s for s in (*self._lanes, *self._gaps) if s not in kept]:
            self._drop(segment)
        for segment in read.without:
            self._gaps.setdefault(segment, known)
        self.is_complete = len(rows) < read.limit
        self.floor = entries[-1][0] if entries else NOTHING
        for row, entry in zip(rows, entries, strict=True):
            self._add(self.segment_of(row), [entry])
        self._bound = 2 * max(self.size, len(self._segments))

    def take(self, count: int) -> None:
        """Removes the best entries."""
        for entry in self._entries[:count]:
            self._take_out(entry)

    def offer(self, row: Row, now: int) -> bool:
        """Takes a waiting interaction in if the view selects it; True when its segment gives it now."""
        if not self.accepts(row, now):
            return False
        key, segment = self._key(row), self.segment_of(row)
        if segment in self._gaps:
            gap = self._gaps[segment]
            is_known = gap is None or key <= gap
        else:
            is_known = self.is_complete or (self.floor is not None and key <= self.floor)
        if not is_known:
            return False
        self._add(segment, [(key, row.interaction_id)])
        if len(self._segments) > self._bound:
            self._trim()
        place = bisect_left(self._lanes.get(segment, []), (key, row.interaction_id))
        return place < self.limits.free(segment)

    def remove(self, row: Row) -> None:
        """Takes an interaction out; one that is not in the head is no matter."""
        if row.interaction_id in self._segments:
            self._take_out((self._key(row), row.interaction_id))

    def forget(self) -> None:
        """Empties the head; the next pull reads it anew."""
        super().forget()
        self._lanes.clear()
        self._segments.clear()
        self._gaps.clear()
        self._hungry.clear()

    def count(self, row: Row, by: int) -> None:
        """An interaction of the view went into routing (1) or out of it (-1)."""
        segment = self.segment_of(row)
        before = self.limits.free(segment)
        super().count(row, by)
        free = self.limits.free(segment)
        lane = self._lanes.get(segment, [])
        if free > before:
            for entry in lane[before:free]:
                insort(self._entries, entry)
        else:
            for entry in lane[free:before]:
                discard(self._entries, entry)
        self._check(segment)

    def _known_up_to(self) -> OrderKey | None:
        if self.is_complete:
            return None
        return NOTHING if self.floor is None else self.floor

    def _add(self, segment: Segment, entries: Sequence[Entry]) -> None:
        lane = self._lanes.setdefault(segment, [])
        free = self.limits.free(segment)
        for entry in entries:
            if entry[1] in self._segments:
                continue  # read again with those beyond MOST_LEFT_OUT
            place = bisect_left(lane, entry)
            lane.insert(place, entry)
            self._segments[entry[1]] = segment
            if place < free:
                insort(self._entries, entry)
                if len(lane) > free:
                    discard(self._entries, lane[free])

    def _take_out(self, entry: Entry) -> None:
        segment = self._segments[entry[1]]
        lane = self._lanes[segment]
        place = discard(lane, entry)
        if place is None:
            return
        del self._segments[entry[1]]
        free = self.limits.free(segment)
        if place < free:
            discard(self._entries, entry)
            if len(lane) >= free:
                insort(self._entries, lane[free - 1])
        if not lane:
            del self._lanes[segment]
        self._check(segment)

    def _check(self, segment: Segment) -> None:
        """Whether the segment gives more than is known of it."""
        gap = self._gaps.get(segment)
        if gap is not None and len(self._lanes.get(segment, ())) < self.limits.free(segment):
            self._hungry.add(segment)
        else:
            self._hungry.discard(segment)

    def _drop(self, segment: Segment) -> None:
        for entry in self._lanes.pop(segment, ()):
            discard(self._entries, entry)
            del self._segments[entry[1]]
        self._gaps.pop(segment, None)
        self._hungry.discard(segment)

    def _trim(self) -> None:
        """Keeps the best half; what is worse is known to the database alone."""
        entries = sorted(entry for lane in self._lanes.values() for entry in lane)
        cut = entries[self._bound // 2 - 1][0]
        for entry in entries[self._bound // 2 :]:
            segment = self._segments.pop(entry[1])
            lane = self._lanes[segment]
            discard(lane, entry)
            discard(self._entries, entry)
            if not lane:
                del self._lanes[segment]
        for segment, gap in tuple(self._gaps.items()):
            self._gaps[segment] = cut if gap is None or gap > cut else gap
        known = self._known_up_to()
        self.floor = cut if known is None or known > cut else known
        self.is_complete = False
        for segment in tuple(self._gaps):
            self._check(segment)

"""How many interactions of a view are in routing, in all and by segment, and how many more may be.

Counted from the rows that the node puts (live/views.py); read anew from the database after a
restart or a failed batch.
"""

from collections import Counter

from paceline.servers.interaction.rules.selection import Segment

UNLIMITED = 1 << 62
"""More than any view holds."""


class ViewLimits:
    """The counters of one view. A limit of 0 is none."""

    def __init__(self, most: int, most_of_segment: int) -> None:
        self.most = most or UNLIMITED
        self.most_of_segment = most_of_segment or UNLIMITED
        self.total = 0
        self._by_segment: Counter[Segment] = Counter()

    @property
    def is_limited(self) -> bool:
        """Whether anything is to be counted."""
        return self.most != UNLIMITED or self.most_of_segment != UNLIMITED

    def is_like(self, other: "ViewLimits") -> bool:
        """Whether the limits are the same, whatever is counted."""
        return (self.most, self.most_of_segment) == (other.most, other.most_of_segment)

    def allowed(self) -> int:
        """How many more the view gives."""
        return max(0, self.most - self.total)

    def free(self, segment: Segment) -> int:
        """How many more the segment gives."""
        return max(0, self.most_of_segment - self._by_segment[segment])

    def full(self) -> list[Segment]:
        """Segments that give none."""
        return [s for s, count in self._by_segment.items() if count >= self.most_of_segment]

    def change(self, segment: Segment, by: int) -> None:
        """One more or one less is in routing."""
        self.total += by
        self._by_segment[segment] += by
        if not self._by_segment[segment]:
            del self._by_segment[segment]

    def clear(self) -> None:
        """Nothing is counted; what is in routing follows."""
        self.total = 0
        self._by_segment.clear()

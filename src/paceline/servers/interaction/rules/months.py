"""Calendar months of instants, by which events and finished interactions are kept and dropped (UTC)."""

from datetime import UTC, datetime
from typing import NamedTuple


class Month(NamedTuple):
    """One calendar month in UTC; months compare by time."""

    year: int
    month: int

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def begin(self) -> int:
        """Its first instant, in milliseconds."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1000

    @property
    def end(self) -> int:
        """The first instant that is not in it any more."""
        return self.next.begin


def month_of(instant: int) -> Month:
    """The month of an instant."""
    moment = datetime.fromtimestamp(instant // 1000, UTC)
    return Month(moment.year, moment.month)

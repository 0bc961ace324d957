"""How much is in the workbins into which the batch in work places something.

Read by the committer for the requests that ask, kept right by the node's state within the batch,
empty while no option limits workbins.
"""

from collections.abc import Mapping

from paceline.model.interaction import Row
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.servers.interaction.store.workbins import BinKey


class WorkbinRoom:
    """Counts of the batch in work."""

    def __init__(self) -> None:
        self.counts: dict[BinKey, int] = {}

    def begin(self, counts: Mapping[BinKey, int]) -> None:
        """Takes what the database says, before the batch changes anything."""
        self.counts = dict(counts)

    def moved(self, old: Row | None, new: Row | None) -> None:
        """An interaction came, changed or ended."""
        for row, by in ((old, -1), (new, 1)):
            if row is None or row.state or row.workbin_id is None:
                continue
            place = Bin(row.tenant_id, row.workbin_id, row.workbin_owner_id or 0)
            if place in self.counts:
                self.counts[place] += by

    def has_room(self, place: Bin, most: int) -> bool:
        """Whether one more may be placed there; `most` 0 = any number."""
        return not most or self.counts.get(place, 0) < most

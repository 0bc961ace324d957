"""InQueues and OutQueues of an interaction: the queues that a desktop offers for it, as one column.

Few interactions have any, so both stand in one text: the ids of the queues in, `;`, those of the
queues out. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Destinations(NamedTuple):
    """Ids of the queues suggested for it while it is new or in work, and for when it is done."""

    in_ids: tuple[int, ...] = ()
    out_ids: tuple[int, ...] = ()

    def names(self, names: Mapping[int, str]) -> "tuple[tuple[str, ...], tuple[str, ...]]":
        """The names of both; a queue that was deleted is left out."""
        return _names(self.in_ids, names), _names(self.out_ids, names)


def packed(destinations: Destinations) -> str | None:
    """The column's text; None for an interaction that has none."""
    if not any(destinations):
        return None
    return ";".join(_text(dict.fromkeys(ids)) for ids in destinations)


def unpacked(text: str | None) -> Destinations:
    """What the column says."""
    if text is None:
        return Destinations()
    ids_in, _, ids_out = text.partition(";")
    return Destinations(_ids(ids_in), _ids(ids_out))


def _text(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(",") if each)


def _names(ids: Iterable[int], names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(names[each] for each in ids if each in names)

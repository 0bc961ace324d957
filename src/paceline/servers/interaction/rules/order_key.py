"""A view's order as a Python key: sorts rows exactly as the database's ORDER BY does.

Text compares by code point, which is byte order in UTF-8, as COLLATE "C" does.
"""

from collections.abc import Callable
from functools import total_ordering
from typing import Any

from paceline.expressions.tree import OrderTerm
from paceline.model.interaction import Row
from paceline.servers.interaction.rules.row_access import reader

OrderKey = tuple[Any, ...]


@total_ordering
class _Descending:
    """Turns a text's order around."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: "_Descending") -> bool:
        return other.text < self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def default_key(row: Row) -> OrderKey:
    """Priority first, then oldest received, then first placed in the queue."""
    return (-row.priority, row.received_at, row.queue_seq)


def order_key(
    terms: tuple[OrderTerm, ...], scheduling: tuple[OrderTerm, ...] = ()
) -> Callable[[Row], OrderKey]:
    """The key of an order; the placement sequence decides between equals, so that no two rows tie.

    With `scheduling`, scheduled interactions come before all others, by these terms first.
    """
    parts = [_part(term) for term in terms]

    def own_key(row: Row) -> OrderKey:
        return (*[part(row) for part in parts], row.queue_seq)

    ordinary = own_key if terms else default_key
    if not scheduling:
        return ordinary
    first = [_part(term) for term in scheduling]

    def scheduled_key(row: Row) -> OrderKey:
        if row.scheduled_at is None:
            return (1, *ordinary(row))
        return (0, *[part(row) for part in first], *ordinary(row))

    return scheduled_key


def _part(term: OrderTerm) -> Callable[[Row], Any]:
    read = reader(term.property.column)
    value = _turned(read) if term.descending else read
    if not term.property.is_nullable:
        return value
    absent, present = (0, 1) if term.nulls_first else (1, 0)

    def nullable(row: Row) -> tuple[int, Any]:
        return (absent, 0) if read(row) is None else (present, value(row))

    return nullable


def _turned(read: Callable[[Row], Any]) -> Callable[[Row], Any]:
    def turned(row: Row) -> Any:
        value = read(row)
        return _Descending(value) if isinstance(value, str) else -value

    return turned

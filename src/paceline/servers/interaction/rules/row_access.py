"""Reading of one property of a row, for conditions, orders and segments in memory."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from paceline.model.interaction import COLUMNS, Row

_FIXED = frozenset(COLUMNS)


def reader(column: str) -> Callable[[Row], Any]:
    """Reads a column of its own, or a custom property; None when it has no value."""
    if column in _FIXED:
        return attrgetter(column)

    def read(row: Row) -> Any:
        return None if row.custom is None else row.custom.get(column)

    return read

"""Which columns the rows of interactions have: the fixed ones, then those of custom properties.

Made anew by the node when a custom property is added; read and written with by the store.
"""

from collections.abc import Sequence

import msgspec

from paceline.model.interaction import COLUMNS, Row
from paceline.storage.database import Row as Found

_COUNT = len(COLUMNS)


class RowShape:
    """The columns of a row and the two ways between a row and its values."""

    def __init__(self, custom: Sequence[str] = ()) -> None:
        self.custom = tuple(custom)
        self.columns = (*COLUMNS, *self.custom)
        self.qualified = ", ".join(f"i.{name}" for name in self.columns)
        self.width = len(self.columns)

    def row(self, found: Found) -> Row:
        """The row of a result whose first columns are `columns`."""
        if not self.custom:
            return Row(*found[:_COUNT])
        values = zip(self.custom, found[_COUNT : self.width], strict=True)
        present = {name: value for name, value in values if value is not None}
        return Row(*[*found[:_COUNT], present or None])

    def values(self, row: Row) -> tuple[object, ...]:
        """The values of `columns`."""
        fixed = msgspec.structs.astuple(row)[:_COUNT]
        return (*fixed, *self.custom_values(row)) if self.custom else fixed

    def custom_values(self, row: Row) -> tuple[object, ...]:
        """The values of the custom columns alone."""
        given = row.custom or {}
        return tuple([given.get(name) for name in self.custom])


PLAIN = RowShape()
"""Without custom properties."""

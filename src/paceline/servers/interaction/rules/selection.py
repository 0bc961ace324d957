"""What a view selects and in which order, and what is read of it from the database.

Made by live/views.py from the configuration, carried to the store by the heads. Pure.
"""

from dataclasses import dataclass
from typing import Final

from paceline.expressions.connectives import And, Not, Or
from paceline.expressions.properties import Property, property_named
from paceline.expressions.tree import (
    Compare,
    Comparison,
    Condition,
    CurrentTime,
    IsIn,
    IsNull,
    Literal,
    OrderTerm,
    Value,
)
from paceline.servers.interaction.rules.order_key import OrderKey


def _property(name: str) -> Property:
    found = property_named(name)
    assert found is not None  # a system property
    return found


SCHEDULED_AT: Final = _property("scheduled_at")

IS_DUE: Final[Condition] = Or(
    (IsNull(SCHEDULED_AT), Compare(Comparison.LESS_EQUAL, SCHEDULED_AT, CurrentTime()))
)
"""Before its scheduled instant an interaction is in no view."""

DEFAULT_ORDER: Final = (
    OrderTerm(_property("priority"), descending=True),
    OrderTerm(_property("received_at")),
    OrderTerm(_property("queue_seq")),
)
"""The order of a view that names none, as rules/order_key.py and the store have it."""

Segment = Value | None
"""The value that a segment's interactions share; None where they have none."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A view's part of a queue. Empty `terms`: the default order; `scheduling`: its scheduled ones first."""

    tenant_id: int
    queue_id: int
    condition: Condition
    terms: tuple[OrderTerm, ...] = ()
    scheduling: tuple[OrderTerm, ...] = ()
    segment: Property | None = None

    @property
    def order(self) -> tuple[OrderTerm, ...]:
        """The order in words: its own, or the default one."""
        return self.terms or DEFAULT_ORDER


@dataclass(frozen=True, slots=True)
class HeadRead:
    """What to read of a view: the best `limit` behind `after`, of one segment, or without some."""

    limit: int
    after: OrderKey | None = None
    only: tuple[Segment] | None = None
    without: tuple[Segment, ...] = ()


def read_condition(selection: Selection, read: HeadRead) -> Condition:
    """The view's condition with the segments that are wanted."""
    found = selection.segment
    if found is None:
        return selection.condition
    if read.only is not None:
        return And((selection.condition, _is(found, read.only[0])))
    if read.without:
        return And((selection.condition, _is_not(found, read.without)))
    return selection.condition


def with_scheduling(condition: Condition, scheduling: Condition) -> Condition:
    """Scheduled interactions are selected by a condition of their own, all others by the view's."""
    has_none = IsNull(SCHEDULED_AT)
    return Or((And((has_none, condition)), And((Not(has_none), scheduling))))


def _is(found: Property, value: Segment) -> Condition:
    if value is None:
        return IsNull(found)
    return Compare(Comparison.EQUAL, found, Literal(value, found.kind))


def _is_not(found: Property, values: tuple[Segment, ...]) -> Condition:
    present = tuple(Literal(value, found.kind) for value in values if value is not None)
    has_none: Condition = IsNull(found)
    is_another: Condition = Not(IsIn(found, present)) if present else Not(has_none)
    if None in values:
        return And((Not(has_none), is_another))
    return Or((has_none, is_another))

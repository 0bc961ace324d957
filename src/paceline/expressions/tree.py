"""The tree of a view condition and the terms of an order.

Built by view_parse, evaluated by predicate.py and by storage.conditions (SQL), which must agree.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias

from paceline.expressions.connectives import Formula
from paceline.expressions.properties import Kind, Property

Value: TypeAlias = str | int | float | bool


class Comparison(StrEnum):
    """How two values compare."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="


class Wildcard(Enum):
    """Parts of a LIKE pattern that stand for other text."""

    ANY_TEXT = "%"
    ONE_CHARACTER = "_"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. One of kind NAME holds the object's name, and its id once names are bound."""

    value: Value
    kind: Kind


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The instant of the evaluation, `_current_time()`."""


@dataclass(frozen=True, slots=True)
class Age:
    """Seconds since a property's instant, `_age()` and `_age_in_queue()`."""

    since: Property


Operand: TypeAlias = Property | Literal | CurrentTime | Age


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands of one kind, compared; open when either has no value."""

    operator: Comparison
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class IsIn:
    """Whether the operand is one of the values."""

    operand: Operand
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class IsLike:
    """Whether a text fits a pattern; letters' case counts."""

    operand: Operand
    pattern: tuple[str | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether the operand has no value; never open."""

    operand: Operand


Leaf: TypeAlias = Compare | IsIn | IsLike | IsNull
Condition: TypeAlias = Formula[Leaf]


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One property of an order. Interactions without a value come last unless `nulls_first`."""

    property: Property
    descending: bool = False
    nulls_first: bool = False

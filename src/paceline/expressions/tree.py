"""The tree of a view condition and the terms of an order.

Built by view_parse, evaluated by predicate.py and by storage.conditions (SQL), which must agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias

from paceline.expressions.connectives import Formula, leaves
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


@dataclass(frozen=True, slots=True)
class TimeTo:
    """Seconds until a property's instant, `_time_to(property)`; negative when it is past."""

    until: Property


class Sign(StrEnum):
    """What is done with two numbers, or with an instant and seconds."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDED = "/"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two operands combined in double precision; no value where one has none or divides by zero.

    An instant stands on the left of a sum; two instants give the seconds between them.
    """

    sign: Sign
    left: "Operand"
    right: "Operand"
    kind: Kind


Operand: TypeAlias = Property | Literal | CurrentTime | Age | TimeTo | Arithmetic


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


def operands(condition: Condition) -> Iterator[Operand]:
    """Everything that a condition looks at, the parts of sums included."""
    pending: list[Operand] = []
    for leaf in leaves(condition):
        match leaf:
            case Compare(_, left, right):
                pending += (left, right)
            case IsIn(operand) | IsLike(operand) | IsNull(operand):
                pending.append(operand)
    while pending:
        found = pending.pop()
        yield found
        match found:
            case Arithmetic(_, left, right):
                pending += (left, right)
            case Age(known) | TimeTo(known):
                pending.append(known)


def depends_on_time(condition: Condition) -> bool:
    """Whether the selection changes by the mere passing of time."""
    return any(isinstance(found, Age | CurrentTime | TimeTo) for found in operands(condition))


def kind_of(operand: Operand) -> Kind:
    """What kind of value an operand has."""
    match operand:
        case Property(kind=kind) | Literal(kind=kind) | Arithmetic(kind=kind):
            return kind
        case CurrentTime():
            return Kind.INSTANT
        case Age() | TimeTo():
            return Kind.NUMBER


def is_in_doubles(left: Operand, right: Operand) -> bool:
    """Whether a comparison is made in double precision: one side is computed or no whole number."""
    kinds = {kind_of(left), kind_of(right)}
    if Kind.NUMBER in kinds:
        return True
    return any(isinstance(side, Arithmetic) for side in (left, right))

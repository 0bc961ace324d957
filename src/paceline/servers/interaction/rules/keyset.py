"""Where a page of an ordered selection ended: as a condition on what comes after, and as a token.

Called by find, workbin content and snapshots, so that what comes and goes between two pages moves
nothing else. The number of the submission decides between equals.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import And, Not, Or
from paceline.expressions.properties import Property, property_named
from paceline.expressions.tree import (
    Compare,
    Comparison,
    Condition,
    IsNull,
    Literal,
    OrderTerm,
    Value,
)
from paceline.model.interaction import Row
from paceline.servers.interaction.rules.row_access import reader

_found = property_named("submit_seq")
assert _found is not None  # a system property
SUBMIT_SEQ: Final[Property] = _found

LONGEST_TOKEN: Final = 65_536
"""Characters of a continuation that are looked at (chosen: eight long texts)."""

_values = msgspec.json.Decoder(tuple[str | int | float | bool | None, ...])
_encode = msgspec.json.Encoder().encode


def token_after(terms: tuple[OrderTerm, ...], row: Row) -> str:
    """The continuation behind a row."""
    values = [reader(term.property.column)(row) for term in terms]
    return urlsafe_b64encode(_encode([*values, row.submit_seq])).decode()


def condition_after(terms: tuple[OrderTerm, ...], token: str | None) -> Condition:
    """What comes behind the row of a continuation; without one everything does.

    Raises
    ------
    PacelineError
        `invalid_attribute` when the token is none of this order.
    """
    if token is None:
        return And(())
    values = _read(token)
    keys = [(term.property, term.descending, term.nulls_first) for term in terms]
    keys.append((SUBMIT_SEQ, False, False))
    if len(values) != len(keys) or not isinstance(values[-1], int):
        raise _refused(token)
    ways: list[Condition] = []
    before: list[Condition] = []
    for (item, descending, nulls_first), value in zip(keys, values, strict=True):
        ways.append(And((*before, _beyond(item, value, descending, nulls_first))))
        before.append(_equal(item, value))
    return Or(tuple(ways))


def _beyond(item: Property, value: Value | None, descending: bool, nulls_first: bool) -> Condition:
    if value is None:
        return Not(IsNull(item)) if nulls_first else Or(())
    sign = Comparison.LESS if descending else Comparison.GREATER
    further = Compare(sign, item, Literal(value, item.kind))
    return Or((further, IsNull(item))) if item.is_nullable and not nulls_first else further


def _equal(item: Property, value: Value | None) -> Condition:
    if value is None:
        return IsNull(item)
    return Compare(Comparison.EQUAL, item, Literal(value, item.kind))


def _read(token: str) -> tuple[Value | None, ...]:
    try:
        return _values.decode(urlsafe_b64decode(token[:LONGEST_TOKEN].encode()))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _refused(token) from None


def _refused(token: str) -> PacelineError:
    return PacelineError(
        "invalid_attribute",
        f"'{token[:40]}' is no continuation of this order; give the one of the last page unchanged",
        field="continuation",
    )

"""Random view conditions and interactions, for the tests that two evaluators agree.

Used by the agreement test on SQLite here and by the one on PostgreSQL.
"""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from paceline.expressions.properties import PROPERTIES, Kind, KnownProperties, Property
from paceline.model.custom_properties import CustomProperty, PropertyType

NOW = 1_700_000_000_000
"""Instant at which conditions are evaluated."""

TEXTS = ("", "a", "A", "ab", "a%b", "a_b", "a*b", "a?b", "a[b]", "a\\b", "it's", "é", "日本", "\n")
PATTERNS = (
    "%",
    "_",
    "a%",
    "%b",
    "a_b",
    "%a%b%",
    "a\\%b",
    "a\\_b",
    "a\\\\b",
    "a*b",
    "a?b",
    "%[b]",
    "",
    "__",
)
NAMES = {"support": 1, "sales": 2, "o'neil": 3}
INSTANTS = (NOW, NOW - 1, NOW - 1500, NOW - 86_400_000, NOW + 1000, 0)

_CUSTOM = (
    CustomProperty("Tier", "tier", PropertyType.STRING),
    CustomProperty("Total", "total", PropertyType.NUMBER),
    CustomProperty("DueAt", "due_at", PropertyType.TIMESTAMP),
)
KNOWN = KnownProperties(_CUSTOM)
ALL = (*PROPERTIES, *(found for c in _CUSTOM if (found := KNOWN.named(c.key)) is not None))
"""System and custom properties."""

_STATEMENT_TYPES = {
    Kind.NUMBER: "double precision",
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "bigint",
    Kind.NAME: "integer",
}
CREATE_TABLE = "CREATE TABLE sample (n integer, {})".format(
    ", ".join(f"{found.column} {_STATEMENT_TYPES[found.kind]}" for found in ALL)
)


def rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Interactions as column to value; about one value in five is absent."""
    chance = random.Random(seed)
    choices: dict[Kind, Sequence[object]] = {
        Kind.TEXT: TEXTS,
        Kind.INTEGER: (-1, 0, 1, 2, 5, 2**31, 2**53 + 1),
        Kind.BOOLEAN: (True, False),
        Kind.NUMBER: (0.0, 1.0, -1.5, 0.1, 1e-18, 9e17, 2.0**53),
        Kind.INSTANT: INSTANTS,
        Kind.NAME: tuple(NAMES.values()),
    }
    return [
        {
            found.column: None if chance.random() < 0.2 else chance.choice(choices[found.kind])
            for found in ALL
        }
        for _ in range(count)
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _constants(found: Property) -> st.SearchStrategy[str]:
    match found.kind:
        case Kind.TEXT:
            return st.sampled_from(TEXTS).map(_quoted)
        case Kind.INTEGER:
            return st.sampled_from(
                ["-1", "0", "1", "5.0", "2147483648", str(2**53), str(2**63 - 1)]
            )
        case Kind.NUMBER:
            return st.sampled_from(["0", "-1.5", ".1", "1e-18", "2", "900000000000000000"])
        case Kind.BOOLEAN:
            return st.sampled_from(["0", "1", "true", "FALSE"])
        case Kind.INSTANT:
            return st.sampled_from(
                [
                    "_current_time()",
                    "_timestamp('2023-11-14T22:13:20Z')",
                    "_timestamp('1970-01-01 00:00:00')",
                ]
            )
        case _:
            return st.sampled_from(sorted(NAMES)).map(_quoted)


def _signs(found: Property) -> st.SearchStrategy[str]:
    unordered = found.kind in (Kind.BOOLEAN, Kind.NAME)
    return st.sampled_from(["=", "!=", "<>"] if unordered else ["=", "!=", "<", "<=", ">", ">="])


_INSTANTS = [found.name for found in ALL if found.kind is Kind.INSTANT]
_NUMBERS = [found.name for found in ALL if found.kind in (Kind.INTEGER, Kind.NUMBER)]
_NUMBER_CONSTANTS = ["0", "1", "-1", "2.5", "1e-18", "60 * 60", str(2**53 + 1), "9e18"]


def _seconds() -> st.SearchStrategy[str]:
    """Seconds: from instants, or functions of the time."""
    instants = st.sampled_from([*_INSTANTS, "_current_time()"])
    return st.one_of(
        st.sampled_from(["_age()", "_AGE_IN_QUEUE()"]),
        st.sampled_from(_INSTANTS).map(lambda name: f"_time_to({name})"),
        st.tuples(instants, instants).map(" - ".join).map(lambda text: f"({text})"),
    )


def _sums() -> st.SearchStrategy[str]:
    """Numbers, combined."""
    atoms = st.one_of(st.sampled_from(_NUMBERS), st.sampled_from(_NUMBER_CONSTANTS[:5]), _seconds())
    signs = st.sampled_from(["+", "-", "*", "/"])
    once = st.one_of(atoms, st.tuples(atoms, signs, atoms).map(lambda t: f"({' '.join(t)})"))
    return st.one_of(
        once,
        st.tuples(once, signs, st.sampled_from(_NUMBERS)).map(" ".join),
        once.map(lambda t: f"-{t}"),
    )


def _moved_instants() -> st.SearchStrategy[str]:
    """Instants, some seconds away."""
    return st.tuples(
        st.sampled_from([*_INSTANTS, "_current_time()", "_timestamp('2023-11-14 22:13:20')"]),
        st.sampled_from(["+", "-"]),
        st.one_of(_seconds(), st.sampled_from([*_NUMBER_CONSTANTS[:4], "(Priority * 60)"])),
    ).map(" ".join)


@st.composite
def _reckonings(draw: st.DrawFn) -> str:
    signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    if draw(st.booleans()):
        instant = st.one_of(_moved_instants(), st.sampled_from(_INSTANTS))
        return f"{draw(_moved_instants())} {draw(signs)} {draw(instant)}"
    left = draw(_sums())
    if draw(st.sampled_from([False, False, False, True])):
        return f"(Priority + {left}) IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    number = st.one_of(st.sampled_from(_NUMBER_CONSTANTS), st.sampled_from(_NUMBERS), _sums())
    property_first = f"{draw(st.sampled_from(_NUMBERS))} {draw(signs)} 1 * {left}"
    return draw(
        st.sampled_from(
            [f"Priority - Priority + {left} {draw(signs)} {draw(number)}", property_first]
        )
    )


@st.composite
def _simple_tests(draw: st.DrawFn) -> str:
    found = draw(st.sampled_from(ALL))
    spellings = (
        [found.name, found.column, found.name.lower()] if found in PROPERTIES else [found.name]
    )
    name = draw(st.sampled_from(spellings))
    constant = _constants(found)
    no = draw(st.sampled_from(["", "NOT "]))
    forms = ["null", "compare"]
    if found.kind is not Kind.INSTANT:
        forms.append("in")
    if found.kind in (Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.INSTANT):
        forms += ["between", "peer"]
    if found.kind is Kind.TEXT:
        forms.append("like")
    match draw(st.sampled_from(forms)):
        case "null":
            return f"{name} IS {no}NULL"
        case "compare":
            return f"{name} {draw(_signs(found))} {draw(constant)}"
        case "in":
            return f"{name} {no}IN ({', '.join(draw(st.lists(constant, min_size=1, max_size=3)))})"
        case "between":
            return f"{name} {no}BETWEEN {draw(constant)} AND {draw(constant)}"
        case "peer":
            peer = draw(st.sampled_from([p for p in ALL if p.kind is found.kind]))
            return f"{name} {draw(_signs(found))} {peer.name}"
    return f"{name} {no}LIKE {_quoted(draw(st.sampled_from(PATTERNS)))}"


def _tests() -> st.SearchStrategy[str]:
    return st.one_of(_simple_tests(), _simple_tests(), _reckonings())


def conditions() -> st.SearchStrategy[str]:
    """Texts of conditions over every property, operator and function."""
    return st.recursive(
        _tests(),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["AND", "or"]), inner).map(
                lambda t: f"({' '.join(t)})"
            ),
            inner.map(lambda text: f"not ({text})"),
        ),
        max_leaves=6,
    )

"""Random view conditions and interactions, for the tests that two evaluators agree.

Used by the agreement test on SQLite here and by the one on PostgreSQL.
"""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from paceline.expressions.properties import PROPERTIES, Kind, Property

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

_STATEMENT_TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "bigint",
    Kind.NAME: "integer",
}
CREATE_TABLE = "CREATE TABLE sample (n integer, {})".format(
    ", ".join(f"{found.column} {_STATEMENT_TYPES[found.kind]}" for found in PROPERTIES)
)


def rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Interactions as column to value; about one value in five is absent."""
    chance = random.Random(seed)
    choices: dict[Kind, Sequence[object]] = {
        Kind.TEXT: TEXTS,
        Kind.INTEGER: (-1, 0, 1, 2, 5, 2**31, 2**53 + 1),
        Kind.BOOLEAN: (True, False),
        Kind.INSTANT: INSTANTS,
        Kind.NAME: tuple(NAMES.values()),
    }
    return [
        {
            found.column: None if chance.random() < 0.2 else chance.choice(choices[found.kind])
            for found in PROPERTIES
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


@st.composite
def _tests(draw: st.DrawFn) -> str:
    found = draw(st.sampled_from(PROPERTIES))
    name = draw(st.sampled_from([found.name, found.column, found.name.lower()]))
    constant = _constants(found)
    no = draw(st.sampled_from(["", "NOT "]))
    forms = ["null", "compare"]
    if found.kind is not Kind.INSTANT:
        forms.append("in")
    if found.kind in (Kind.TEXT, Kind.INTEGER, Kind.INSTANT):
        forms += ["between", "peer"]
    if found.kind is Kind.TEXT:
        forms.append("like")
    match draw(st.sampled_from([*forms, "age"])):
        case "null":
            return f"{name} IS {no}NULL"
        case "compare":
            return f"{name} {draw(_signs(found))} {draw(constant)}"
        case "in":
            return f"{name} {no}IN ({', '.join(draw(st.lists(constant, min_size=1, max_size=3)))})"
        case "between":
            return f"{name} {no}BETWEEN {draw(constant)} AND {draw(constant)}"
        case "peer":
            peer = draw(st.sampled_from([p for p in PROPERTIES if p.kind is found.kind]))
            return f"{name} {draw(_signs(found))} {peer.name}"
        case "like":
            return f"{name} {no}LIKE {_quoted(draw(st.sampled_from(PATTERNS)))}"
    age = draw(st.sampled_from(["_age()", "_AGE_IN_QUEUE()"]))
    sign = draw(st.sampled_from(["<", ">=", "="]))
    return f"{age} {sign} {draw(st.sampled_from(['1.5', '0', '86400', '-1']))}"


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

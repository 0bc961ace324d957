"""Loads the Lark grammars and turns their failures into errors that say where and what instead.

Called by the parsers of this package only. A grammar's callbacks build the tree while parsing, so
that no text, however nested, makes anything recurse before its depth is checked.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternStr

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import Formula, depth

MAX_LENGTH: Final = 8000
"""Characters of one expression; chosen: 400 ids in a list, below every engine's limits."""

MAX_DEPTH: Final = 32
"""Connectives inside one another; chosen: above what people write, below recursion limits."""

_SHOWN: Final = {
    "NAME": "a name",
    "FUNCTION": "a function",
    "QUOTED": "a name",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "INTEGER": "a number",
    "FLOAT": "a number",
    "WORD": "a text",
    "COMPARISON": "a comparison",
    "PLUS": "a sign",
    "MINUS": "a sign",
    "TIMES": "a sign",
    "DIVIDED": "a sign",
    "SKILL": "Skill(…)",
    "SKILL_EXISTS": "SkillExists(…)",
    "PAIR_EXISTS": "PairExists(…)",
    "NULLS_FIRST": "NULLS FIRST",
    "NULLS_LAST": "NULLS LAST",
    "$END": "the end",
}


class Mistake(Exception):
    """Text that the grammar allows and its meaning does not; raised by callbacks at a token."""

    def __init__(self, token: Token, message: str) -> None:
        super().__init__(message)
        self.token = token
        self.message = message


def load(file: str, callbacks: Transformer[Token, object], *, start: list[str]) -> Lark:
    """The parser of a grammar file of this package."""
    return Lark.open_from_package(
        "paceline.expressions", file, parser="lalr", start=start, transformer=callbacks
    )


def parse(
    grammar: Lark, text: str, *, start: str, field: str, hints: Mapping[str, str] | None = None
) -> object:
    """What the callbacks make of the text.

    Parameters
    ----------
    hints
        What to do where one of these stands that the grammar does not know.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line, column, what stands there and what could.
    """
    _check_text(text, field)
    try:
        return grammar.parse(text, start=start)
    except UnexpectedInput as wrong:
        hint = _hint(text[wrong.pos_in_stream :], text, wrong, hints or {})
        refuse(field, wrong.line, wrong.column, _unexpected(grammar, wrong) + hint, text)
    except Mistake as wrong:
        refuse(field, wrong.token.line or 1, wrong.token.column or 1, wrong.message, text)


def check_depth(formula: Formula[Any], field: str) -> None:
    """Refuse a formula nested deeper than `MAX_DEPTH`."""
    found = depth(formula)
    if found > MAX_DEPTH:
        raise PacelineError(
            "invalid_attribute",
            f"{field}: {found} levels of and, or, not; allowed are {MAX_DEPTH}: write it flatter",
            field=field,
        )


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean X?` when a known name is near, else nothing."""
    by_folded = {item.lower(): item for item in known}
    near = get_close_matches(name.lower(), by_folded, n=1)
    return f"; did you mean {by_folded[near[0]]}?" if near else ""


def refuse(field: str, line: int, column: int, message: str, text: str) -> NoReturn:
    """Raise `invalid_attribute` at a place; past the end it says so."""
    place = f"line {line}, column {column}" if line > 0 else f"at the end of '{text[-20:]}'"
    if line <= 0:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    raise PacelineError(
        "invalid_attribute",
        f"{field}, {place}: {message}",
        field=field,
        details={"line": line, "column": column},
    )


def _check_text(text: str, field: str) -> None:
    if len(text) > MAX_LENGTH:
        raise PacelineError(
            "invalid_attribute",
            f"{field} has {len(text)} characters; allowed are {MAX_LENGTH}",
            field=field,
        )
    wrong = next((c for c in text if c == "\0" or "\ud800" <= c <= "\udfff"), None)
    if wrong is not None:
        raise PacelineError(
            "invalid_attribute",
            f"{field} holds the character U+{ord(wrong):04X}, which no text may hold; remove it",
            field=field,
        )


def _unexpected(grammar: Lark, wrong: UnexpectedInput) -> str:
    if isinstance(wrong, UnexpectedToken):
        found = "the end" if wrong.token.type == "$END" else f"'{wrong.token}'"
        return f"found {found}, expected {_listed(grammar, wrong.accepts or wrong.expected)}"
    if isinstance(wrong, UnexpectedCharacters):
        return f"found '{wrong.char}', expected {_listed(grammar, wrong.allowed or set())}"
    return "the text ends too early"


def _hint(rest: str, text: str, wrong: UnexpectedInput, hints: Mapping[str, str]) -> str:
    before = text[: wrong.pos_in_stream].rstrip()[-1:]
    written = before + rest[:1] if before + rest[:1] in hints else rest[:1]
    return f"; {hints[written]}" if written in hints else ""


def _listed(grammar: Lark, terminals: set[str]) -> str:
    return " or ".join(sorted({_shown(grammar, name) for name in terminals}))


def _shown(grammar: Lark, terminal: str) -> str:
    if terminal in _SHOWN:
        return _SHOWN[terminal]
    pattern = grammar.get_terminal(terminal).pattern
    return f"'{pattern.value}'" if isinstance(pattern, PatternStr) else terminal.lstrip("_")

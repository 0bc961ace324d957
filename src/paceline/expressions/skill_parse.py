"""Skill expressions of virtual agent groups: `Skill("Spanish") >= 5 & ~SkillExists("Trainee")`.

Called by the Stat Server (membership), the router and the checks. `Spanish > 5` is short for
`Skill("Spanish") > 5`. A comparison with a skill that the agent does not have is false.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, cast

from lark import Lark, Token, Transformer, v_args

from paceline.expressions import grammar
from paceline.expressions.connectives import And, Formula, Not, Or, Test, evaluator, leaves
from paceline.expressions.tree import Comparison

Levels: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Level:
    """The agent's level in a skill."""

    skill: str


@dataclass(frozen=True, slots=True)
class SkillExists:
    """The agent has the skill, at whatever level."""

    skill: str


@dataclass(frozen=True, slots=True)
class CompareLevel:
    """Two levels, or a level and a number, compared."""

    operator: Comparison
    left: Level | int
    right: Level | int


SkillExpression: TypeAlias = Formula[SkillExists | CompareLevel]


def parse_skill_expression(text: str, *, field: str = "script") -> SkillExpression:
    """The tree of a skill expression.

    Raises
    ------
    PacelineError
        `invalid_attribute` with line and column, what stands there and what could.
    """
    parsed = grammar.parse(_skill_grammar(), text, start="start", field=field)
    expression = cast(SkillExpression, parsed)
    grammar.check_depth(expression, field)
    return expression


def skill_predicate(expression: SkillExpression) -> Callable[[Levels], bool]:
    """Whether an agent with these skill levels belongs to the group."""
    test = evaluator(expression, _leaf)
    return lambda levels: test(levels, None) is True


def skills_named(expression: SkillExpression) -> frozenset[str]:
    """Skills the expression reads."""
    found: set[str] = set()
    for leaf in leaves(expression):
        sides = (leaf,) if isinstance(leaf, SkillExists) else (leaf.left, leaf.right)
        found.update(side.skill for side in sides if not isinstance(side, int))
    return frozenset(found)


@v_args(inline=True)
class _Callbacks(Transformer[Token, object]):
    """Builds the tree bottom-up while Lark parses."""

    def start(self, found: SkillExpression) -> SkillExpression:
        return found

    def disjunction(self, *terms: SkillExpression) -> SkillExpression:
        return Or(terms)

    def conjunction(self, *terms: SkillExpression) -> SkillExpression:
        return And(terms)

    def negated(self, term: SkillExpression) -> SkillExpression:
        return Not(term)

    def compare(self, left: Level | int, sign: Token, right: Level | int) -> SkillExpression:
        if isinstance(left, int) and isinstance(right, int):
            raise grammar.Mistake(sign, 'one side must be a skill, such as Skill("Spanish")')
        return CompareLevel(Comparison(sign), left, right)

    def skill_exists(self, _function: Token, name: Token) -> SkillExpression:
        return SkillExists(name[1:-1])

    def skill(self, _function: Token, name: Token) -> Level:
        return Level(name[1:-1])

    def shorthand(self, name: Token) -> Level:
        return Level(str(name))

    def number(self, token: Token) -> int:
        return int(token)


@cache
def _skill_grammar() -> Lark:
    return grammar.load("skill.lark", _Callbacks(), start=["start"])


_OPERATIONS: dict[Comparison, Callable[[int, int], bool]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.LESS: operator.lt,
    Comparison.LESS_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_EQUAL: operator.ge,
}


def _leaf(leaf: SkillExists | CompareLevel) -> Test[Levels, None]:
    match leaf:
        case SkillExists(skill):
            return lambda levels, _: skill in levels
        case CompareLevel(sign, left, right):
            return _compared(_OPERATIONS[sign], left, right)


def _compared(
    operation: Callable[[int, int], bool], left: Level | int, right: Level | int
) -> Test[Levels, None]:
    def level(side: Level | int, levels: Levels) -> int | None:
        return side if isinstance(side, int) else levels.get(side.skill)

    def test(levels: Levels, _: None) -> bool:
        first, second = level(left, levels), level(right, levels)
        return first is not None and second is not None and operation(first, second)

    return test

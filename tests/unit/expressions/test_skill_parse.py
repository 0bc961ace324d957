"""Skill expressions of virtual agent groups."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.expressions.skill_parse import (
    parse_skill_expression,
    skill_predicate,
    skills_named,
)

LEVELS = {"Spanish": 5, "Chat Support": 3, "Trainee": 0}


@pytest.mark.parametrize(
    ("text", "belongs"),
    [
        ('Skill("Spanish") >= 5', True),
        ("Spanish > 5", False),
        ("Spanish > 4", True),
        ('5 <= Skill("Spanish")', True),
        ('Skill("Chat Support") = 3 & Spanish != 4', True),
        ('Skill("Spanish") > Skill("Chat Support")', True),
        ('SkillExists("Trainee")', True),
        ('~SkillExists("Trainee") | Spanish = 5', True),
        ('~(SkillExists("Trainee") | Spanish = 5)', False),
        ("German < 10", False),
        ("German != 10", False),
        ("~German > 1", True),
        ('Skill("German") < Skill("Spanish")', False),
    ],
)
def test_expressions_mean_what_they_say(text: str, belongs: bool) -> None:
    """A comparison with a missing skill is false, whatever the operator."""
    assert skill_predicate(parse_skill_expression(text))(LEVELS) is belongs


def test_an_expression_tells_its_skills() -> None:
    """Every skill read is named, in both spellings."""
    found = parse_skill_expression('Spanish > 5 & (Skill("A") > Skill("B") | ~SkillExists("C"))')
    assert skills_named(found) == {"Spanish", "A", "B", "C"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found the end"),
        ("Spanish", "expected a comparison"),
        ("1 > 2", "one side must be a skill"),
        ("Spanish > 5.5", "found '5'"),
        ("Skill(Spanish) > 5", "found 'Spanish', expected a text in quotes"),
    ],
)
def test_wrong_expressions_are_named(text: str, said: str) -> None:
    """A wrong expression is `invalid_attribute` on field script."""
    with pytest.raises(PacelineError) as refused:
        parse_skill_expression(text)
    assert refused.value.field == "script"
    assert said in refused.value.message

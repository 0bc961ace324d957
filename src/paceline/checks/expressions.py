"""Texts of views and virtual agent groups that cannot be read.

Called by `check_configuration`. The parsers say where the mistake is and what may stand there.
"""

from collections.abc import Callable, Iterator

from paceline.errors.failure import PacelineError
from paceline.expressions.skill_parse import parse_skill_expression, skills_named
from paceline.expressions.view_parse import parse_condition, parse_order
from paceline.model.configuration import AgentGroup, Skill, View
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot


def check_expressions(snapshot: ConfigurationSnapshot) -> Iterator[Finding]:
    """Unreadable conditions, orders and skill expressions, and skills that do not exist."""
    for item, view in snapshot.all_of(View):
        subject = f"view '{item.name}'"
        fix = "correct the text; until then the view gives nothing"
        yield from _unreadable(subject, "condition", view.condition, parse_condition, fix)
        yield from _unreadable(subject, "order", view.order, parse_order, fix)
    for item, group in snapshot.all_of(AgentGroup):
        if group.skill_expression is not None:
            yield from _skills(snapshot, item.tenant, item.name, group.skill_expression)


def _unreadable(
    subject: str, field: str, text: str, parse: Callable[[str], object], fix: str
) -> Iterator[Finding]:
    try:
        parse(text)
    except PacelineError as refused:
        yield Finding(subject, field, refused.message, fix)


def _skills(
    snapshot: ConfigurationSnapshot, tenant: int, name: str, script: str
) -> Iterator[Finding]:
    subject = f"agent group '{name}'"
    try:
        named = skills_named(parse_skill_expression(script))
    except PacelineError as refused:
        fix = "correct the expression; until then the group has no members"
        yield Finding(subject, "virtual.script", refused.message, fix)
        return
    known = {item.name for item, _ in snapshot.all_of(Skill, tenant)}
    for skill in sorted(named - known):
        yield Finding(
            subject,
            "virtual.script",
            f"there is no skill '{skill}', so comparisons with it are false",
            f"create the skill '{skill}' or name another",
        )

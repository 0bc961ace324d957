"""Texts of views and virtual agent groups that cannot be read, custom properties that make none.

Called by `check_configuration`. The parsers say where the mistake is and what may stand there.
"""

from collections.abc import Callable, Iterator
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.expressions.properties import KnownProperties, property_named
from paceline.expressions.skill_parse import parse_skill_expression, skills_named
from paceline.expressions.view_parse import parse_condition, parse_order, parse_segment
from paceline.model.configuration import AgentGroup, BusinessAttribute, Skill, View
from paceline.model.custom_properties import custom_properties
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot

FIX: Final = "correct the text; until then the view gives nothing"


def check_expressions(snapshot: ConfigurationSnapshot) -> Iterator[Finding]:
    """Unreadable conditions, orders and skill expressions, and skills that do not exist."""
    for tenant in sorted({item.tenant for item, _ in snapshot.all_of(BusinessAttribute)}):
        yield from _custom_properties(snapshot, tenant)
    for item, view in snapshot.all_of(View):
        known = KnownProperties(custom_properties(snapshot, item.tenant)[0])
        yield from _view(f"view '{item.name}'", view, known)
    for item, group in snapshot.all_of(AgentGroup):
        if group.skill_expression is not None:
            yield from _skills(snapshot, item.tenant, item.name, group.skill_expression)


def _custom_properties(snapshot: ConfigurationSnapshot, tenant: int) -> Iterator[Finding]:
    good, bad = custom_properties(snapshot, tenant)
    for wrong in bad:
        subject = f"custom property '{wrong.key}' of tenant {tenant}"
        problem = f"no view can use it: {wrong.problem}"
        yield Finding(subject, wrong.field, problem, wrong.fix)
    for found in good:
        for name in dict.fromkeys((found.key, found.name)):
            if property_named(name) is not None:
                yield Finding(
                    f"custom property '{found.key}' of tenant {tenant}",
                    "key" if name == found.key else "translate-to",
                    f"'{name}' is the system property in every view",
                    "name it otherwise",
                )


def _view(subject: str, view: View, known: KnownProperties) -> Iterator[Finding]:
    def condition(text: str) -> object:
        return parse_condition(text, known=known)

    def order(text: str) -> object:
        return parse_order(text, known=known)

    yield from _unreadable(subject, "condition", view.condition, condition, FIX)
    yield from _unreadable(subject, "order", view.order, order, FIX)
    scheduling = (("scheduling_condition", condition), ("scheduling_order", order))
    for field, parse in scheduling:
        yield from _unreadable(subject, field, getattr(view, field), parse, FIX)
    yield from _unreadable(
        subject, "segment_by", view.segment_by, lambda text: parse_segment(text, known=known), FIX
    )
    if view.segment_limit and not view.segment_by.strip():
        problem = "a segment_limit without segment_by limits nothing"
        fix = "name the property that segments; until then the view gives nothing"
        yield Finding(subject, "segment_by", problem, fix)


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

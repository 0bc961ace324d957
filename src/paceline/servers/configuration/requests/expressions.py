"""Requests about texts of expressions: whether they can be read, and where the mistake is."""

from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.expressions.filter_parse import filter_keys, parse_filter
from paceline.expressions.properties import KnownProperties, Property
from paceline.expressions.skill_parse import parse_skill_expression, skills_named
from paceline.expressions.tree import depends_on_time, operands
from paceline.expressions.view_parse import (
    bind_names,
    parse_condition,
    parse_order,
    parse_segment,
)
from paceline.model.configuration import Skill
from paceline.model.custom_properties import custom_properties
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.configuration import CheckedExpression, CheckExpression


class ExpressionRequests:
    """Handler of `expression.check`."""

    def __init__(self, live: LiveConfiguration) -> None:
        self._live = live

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"expression.check": self.check}

    async def check(self, call: Call, request: CheckExpression) -> CheckedExpression:
        """Reads the text as its owner would, with the tenant's custom properties and names."""
        tenant = call.tenant_of(request.tenant)
        try:
            return _CHECKS[request.kind](self._live.snapshot, tenant, request.text)
        except PacelineError as refused:
            place = refused.details or {}
            return CheckedExpression(
                is_valid=False,
                message=refused.message,
                line=_number(place.get("line")),
                column=_number(place.get("column")),
            )


def _number(found: object) -> int | None:
    return found if isinstance(found, int) else None


def _known(snapshot: ConfigurationSnapshot, tenant: int) -> KnownProperties:
    return KnownProperties(custom_properties(snapshot, tenant)[0])


def _condition(snapshot: ConfigurationSnapshot, tenant: int, text: str) -> CheckedExpression:
    condition = bind_names(
        parse_condition(text, known=_known(snapshot, tenant)),
        lambda referred, name: snapshot.id_named(tenant, referred, name),
    )
    names = {found.name for found in operands(condition) if isinstance(found, Property)}
    return CheckedExpression(
        is_valid=True, names=tuple(sorted(names)), depends_on_time=depends_on_time(condition)
    )


def _order(snapshot: ConfigurationSnapshot, tenant: int, text: str) -> CheckedExpression:
    terms = parse_order(text, known=_known(snapshot, tenant))
    return CheckedExpression(is_valid=True, names=tuple(term.property.name for term in terms))


def _segment(snapshot: ConfigurationSnapshot, tenant: int, text: str) -> CheckedExpression:
    found = parse_segment(text, known=_known(snapshot, tenant))
    return CheckedExpression(is_valid=True, names=() if found is None else (found.name,))


def _skill(snapshot: ConfigurationSnapshot, tenant: int, text: str) -> CheckedExpression:
    named = skills_named(parse_skill_expression(text))
    missing = sorted(named - {item.name for item, _ in snapshot.all_of(Skill, tenant)})
    if missing:
        message = f"there is no skill '{missing[0]}'; create it or name another"
        raise PacelineError("invalid_attribute", message, field="text")
    return CheckedExpression(is_valid=True, names=tuple(sorted(named)))


def _filter(_snapshot: ConfigurationSnapshot, _tenant: int, text: str) -> CheckedExpression:
    return CheckedExpression(is_valid=True, names=tuple(sorted(filter_keys(parse_filter(text)))))


_CHECKS: dict[str, Callable[[ConfigurationSnapshot, int, str], CheckedExpression]] = {
    "condition": _condition,
    "order": _order,
    "segment": _segment,
    "skill": _skill,
    "filter": _filter,
}

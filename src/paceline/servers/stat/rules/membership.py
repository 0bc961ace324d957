"""Who belongs to which agent group, regular or by skill expression.

Called by the live part at each change of the configuration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paceline.errors.failure import PacelineError
from paceline.expressions.skill_parse import Levels, parse_skill_expression, skill_predicate
from paceline.model.configuration import Person
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot

Group = tuple[int, str]
"""Tenant and name."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Members' names of every group; groups whose expression is wrong, with what is wrong."""

    members: Mapping[Group, frozenset[str]]
    findings: tuple[Finding, ...] = ()


NOBODY = Membership({})


def membership(snapshot: ConfigurationSnapshot, previous: Membership = NOBODY) -> Membership:
    """Membership under a configuration; a wrong skill expression leaves the members there were."""
    everyone: dict[int, dict[str, Person]] = {}
    for (tenant, name), (_, person) in snapshot.agents.items():
        everyone.setdefault(tenant, {})[name] = person
    members: dict[Group, frozenset[str]] = {}
    findings: list[Finding] = []
    for key, (_, group) in snapshot.agent_groups.items():
        tenant, name = key
        agents = everyone.get(tenant, {})
        script = group.skill_expression
        if script is None:
            members[key] = frozenset(agent for agent in group.agents if agent in agents)
            continue
        try:
            belongs = _predicate(script)
        except PacelineError as mistake:
            members[key] = previous.members.get(key, frozenset())
            findings.append(
                Finding(
                    f"agent group {name}",
                    "virtual.script",
                    f"{mistake.message}; the members stay as they were",
                    "correct the expression",
                )
            )
        else:
            members[key] = frozenset(a for a, person in agents.items() if belongs(person.skills))
    return Membership(members, tuple(findings))


def _predicate(script: str) -> Callable[[Levels], bool]:
    return skill_predicate(parse_skill_expression(script, field="virtual.script"))

"""Agents of a pacing target who may not take its medium, because no capacity rule lets them.

Called by `check_configuration`. Without any rule an agent takes one voice interaction and nothing
else, so a chat agent whom nobody gave a rule is never ready: easy to miss, hence named here.
"""

from collections.abc import Iterator

from paceline.checks.virtual_queues import PacedQueue, paced_queues
from paceline.errors.failure import PacelineError
from paceline.expressions.skill_parse import parse_skill_expression, skill_predicate
from paceline.model.capacity import capacity_of
from paceline.model.configuration import AgentGroup, Person
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot

MAX_NAMED = 5
"""Agents named in one finding; chosen: enough to begin with, still one line."""


def check_capacity(snapshot: ConfigurationSnapshot) -> Iterator[Finding]:
    """One finding per target whose agents, or some of them, have no capacity for its medium."""
    for queue in paced_queues(snapshot):
        if queue.has_one_medium and queue.groups:
            yield from _check_target(snapshot, queue)


def _check_target(snapshot: ConfigurationSnapshot, queue: PacedQueue) -> Iterator[Finding]:
    tenant = queue.item.tenant
    agents = {name for _, group in queue.groups for name in _members(snapshot, tenant, group)}
    unable = sorted(
        name for name in agents if capacity_of(snapshot, tenant, name).get(queue.medium, 0) < 1
    )
    if unable:
        named = ", ".join(unable[:MAX_NAMED]) + (", …" if len(unable) > MAX_NAMED else "")
        share = "none" if len(unable) == len(agents) else f"{len(agents) - len(unable)}"
        yield Finding(
            queue.subject,
            "capacity_rule",
            f"{share} of its {len(agents)} agents may take {queue.medium}; never ready: {named}",
            f"give these agents, or their tenant, a capacity rule with {queue.medium} 1 or more",
        )


def _members(snapshot: ConfigurationSnapshot, tenant: int, group: AgentGroup) -> dict[str, Person]:
    everyone = {name: person for (of, name), (_, person) in snapshot.agents.items() if of == tenant}
    script = group.skill_expression
    if script is None:
        return {name: everyone[name] for name in group.agents if name in everyone}
    try:
        belongs = skill_predicate(parse_skill_expression(script))
    except PacelineError:
        return {}  # the expression has its own finding (checks/expressions.py)
    return {name: person for name, person in everyone.items() if belongs(person.skills)}

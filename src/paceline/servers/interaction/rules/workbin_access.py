"""Whose workbins an agent may use: its own, those of its groups, of its place and its place's groups."""

from paceline.errors.failure import PacelineError
from paceline.expressions.skill_parse import parse_skill_expression, skill_predicate
from paceline.model.configuration import AgentGroup, PlaceGroup
from paceline.model.snapshot import ConfigurationSnapshot


def owners_of(
    snapshot: ConfigurationSnapshot, tenant: int, agent: str, place_id: int | None
) -> frozenset[int]:
    """Ids of the agent, its groups, its place and that place's groups: whose workbins it may use."""
    found = snapshot.agents.get((tenant, agent))
    if found is None:
        return frozenset()
    agent_id, person = found
    owners = {agent_id}
    owners |= {
        item.id
        for item, group in snapshot.all_of(AgentGroup, tenant)
        if agent in group.agents or _has_skills(group, person.skills)
    }
    if place_id is not None:
        place = snapshot.names.get(place_id)
        owners.add(place_id)
        owners |= {
            item.id for item, group in snapshot.all_of(PlaceGroup, tenant) if place in group.places
        }
    return frozenset(owners)


def _has_skills(group: AgentGroup, skills: dict[str, int]) -> bool:
    if group.skill_expression is None:
        return False
    try:
        parsed = parse_skill_expression(group.skill_expression, field="virtual.script")
    except PacelineError:
        return False  # a finding of the checks: nobody belongs to it
    return skill_predicate(parsed)(skills)

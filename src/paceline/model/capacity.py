"""The capacity rule of an agent: how many interactions of each media type at once.

Called by the Stat Server for an agent's state. A rule stands at the person, the place or the
tenant, and the first one found holds alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paceline.model.configuration import Person, Place, Tenant
from paceline.model.snapshot import ConfigurationSnapshot

WITHOUT_RULE: Final[Mapping[str, int]] = MappingProxyType({"voice": 1})
"""One voice interaction and nothing else (pacing-service 3.7)."""


def capacity_of(
    snapshot: ConfigurationSnapshot, tenant: int, agent: str, place: str | None = None
) -> Mapping[str, int]:
    """Greatest number of interactions per media type; a medium that is absent has none.

    Parameters
    ----------
    place
        Where the agent is logged in; the person's default place when absent.
    """
    _, person = snapshot.agents.get((tenant, agent), (0, Person()))
    seat = snapshot.named(tenant, Place, "places", place or person.default_place or "")
    site = snapshot.objects.get(("tenants", tenant))
    rules = (
        person.capacity_rule,
        seat.body.capacity_rule if seat is not None and isinstance(seat.body, Place) else None,
        site.body.capacity_rule if site is not None and isinstance(site.body, Tenant) else None,
    )
    name = next((rule for rule in rules if rule), None)
    if name is None:
        return WITHOUT_RULE
    found = snapshot.capacity_rules.get((tenant, name))
    return found.media if found is not None else {}

"""An immutable picture of the configuration with the look-ups that servers need.

Built by whoever follows the Configuration Server (sdk) or reads a file (tests); a change makes a
new snapshot. Never reads anything itself.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from paceline.errors.failure import PacelineError
from paceline.model.configuration import (
    AgentGroup,
    Application,
    Body,
    CapacityRule,
    ConfigurationObject,
    Dn,
    InteractionQueue,
    Person,
    PlaceGroup,
    Strategy,
    Transaction,
    View,
    Workbin,
)

B = TypeVar("B", bound=Body)


class ConfigurationSnapshot:
    """All objects at one sequence number of the configuration's history."""

    def __init__(self, objects: Iterable[ConfigurationObject], *, seq: int = 0) -> None:
        self.seq = seq
        self.objects: Mapping[tuple[str, int], ConfigurationObject] = {
            (item.type, item.id): item for item in objects
        }

    def with_changes(
        self,
        changed: Iterable[ConfigurationObject],
        deleted: Iterable[tuple[str, int]],
        *,
        seq: int,
    ) -> "ConfigurationSnapshot":
        """The snapshot after a change: `changed` replaces or adds, `deleted` names (type, id)."""
        gone = set(deleted)
        kept = {key: item for key, item in self.objects.items() if key not in gone}
        kept.update({(item.type, item.id): item for item in changed})
        return ConfigurationSnapshot(kept.values(), seq=seq)

    @cached_property
    def _by_name(self) -> dict[tuple[str, type, int, str], ConfigurationObject]:
        return {
            (item.type, type(item.body), item.tenant, item.name): item
            for item in self.objects.values()
        }

    def named(
        self, tenant: int, kind: type[Body], type_: str, name: str
    ) -> ConfigurationObject | None:
        """The object of this struct and name in the tenant, None when there is none."""
        return self._by_name.get((type_, kind, tenant, name))

    def all_of(
        self, kind: type[B], tenant: int | None = None
    ) -> list[tuple[ConfigurationObject, B]]:
        """Every object of one struct, with its body typed, in the order of ids."""
        found = [
            (item, item.body)
            for item in self.objects.values()
            if isinstance(item.body, kind) and (tenant is None or item.tenant == tenant)
        ]
        return sorted(found, key=lambda pair: pair[0].id)

    def application(self, name: str) -> tuple[ConfigurationObject, Application]:
        """The application with this name, in whichever tenant.

        Raises
        ------
        PacelineError
            `not_found` when the configuration has no such application.
        """
        for item, body in self.all_of(Application):
            if item.name == name:
                return item, body
        raise PacelineError(
            "not_found",
            f"application '{name}' is not in the configuration; create it or name another with --app",
            field="app",
        )

    @cached_property
    def queues(self) -> dict[tuple[int, str], int]:
        """Interaction queues: (tenant, name) to id."""
        return {(o.tenant, o.name): o.id for o, _ in self.all_of(InteractionQueue)}

    @cached_property
    def workbins(self) -> dict[tuple[int, str], int]:
        """Workbins: (tenant, name) to id."""
        return {(o.tenant, o.name): o.id for o, _ in self.all_of(Workbin)}

    @cached_property
    def views(self) -> dict[tuple[int, str], tuple[int, View]]:
        """Views: (tenant, name) to id and body."""
        return {(o.tenant, o.name): (o.id, body) for o, body in self.all_of(View)}

    @cached_property
    def strategies(self) -> dict[tuple[int, str], tuple[int, Strategy]]:
        """Strategies: (tenant, name) to id and body."""
        return {(o.tenant, o.name): (o.id, body) for o, body in self.all_of(Strategy)}

    @cached_property
    def virtual_queues(self) -> dict[tuple[int, str], tuple[int, Dn]]:
        """Virtual queues: (tenant, number) to id and body; the last one when a number repeats."""
        return {
            (o.tenant, body.number): (o.id, body)
            for o, body in self.all_of(Dn)
            if body.dn_type == "virtual_queue"
        }

    @cached_property
    def agents(self) -> dict[tuple[int, str], tuple[int, Person]]:
        """Enabled persons that are agents: (tenant, user name) to id and body."""
        return {
            (o.tenant, o.name): (o.id, body)
            for o, body in self.all_of(Person)
            if body.is_agent and body.state == "enabled"
        }

    @cached_property
    def places(self) -> dict[tuple[int, str], int]:
        """Places: (tenant, name) to id."""
        return {(o.tenant, o.name): o.id for o in self.objects.values() if o.type == "places"}

    @cached_property
    def place_groups(self) -> dict[tuple[int, str], int]:
        """Place groups: (tenant, name) to id."""
        return {(o.tenant, o.name): o.id for o, _ in self.all_of(PlaceGroup)}

    @cached_property
    def agent_groups(self) -> dict[tuple[int, str], tuple[int, AgentGroup]]:
        """Agent groups: (tenant, name) to id and body."""
        return {(o.tenant, o.name): (o.id, body) for o, body in self.all_of(AgentGroup)}

    @cached_property
    def capacity_rules(self) -> dict[tuple[int, str], CapacityRule]:
        """Capacity rules: (tenant, name) to body."""
        return {(o.tenant, o.name): body for o, body in self.all_of(CapacityRule)}

    def id_named(self, tenant: int, referred: str, name: str) -> int | None:
        """The id behind a name in a view's condition; `referred` says what kind of object is meant."""
        key = (tenant, name)
        match referred:
            case "queue":
                return self.queues.get(key)
            case "place":
                return self.places.get(key)
            case "virtual_queue":
                found = self.virtual_queues.get(key)
                return found[0] if found else None
            case "agent":
                agent = self.agents.get(key)
                return agent[0] if agent else None
            case "workbin":
                return self.workbins.get(key)
        return None

    @cached_property
    def names(self) -> dict[int, str]:
        """Name of every object by id; ids are unique over all types."""
        return {item.id: item.name for item in self.objects.values()}

    def transaction(self, tenant: int, name: str) -> Transaction | None:
        """The transaction object with this name, such as `hybrid_integration`."""
        found = self.named(tenant, Transaction, "transactions", name)
        return found.body if found is not None and isinstance(found.body, Transaction) else None

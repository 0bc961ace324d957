"""What the configuration tells the simulator: who the agents are, where customers go, who is invited.

Read by the parts of the made-up world; follows the configuration. Never changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from paceline.model.capacity import capacity_of
from paceline.model.configuration import Application
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.model.target import PacingTarget, discover, media_of
from paceline.sdk import ConfigurationSource
from paceline.units.quantities import DEFAULT_TENANT

DEFAULT_POLICY = "position"
"""Default of the option pacing.algorithm (PACING.md: guards)."""


@dataclass(frozen=True, slots=True)
class SiteAgent:
    """An agent with a place and the greatest number of interactions at once per medium."""

    name: str
    place: str | None
    capacity: Mapping[str, int]


class Site:
    """The configured contact centre, always as the configuration is now."""

    def __init__(self, configuration: ConfigurationSource, tenant: int = DEFAULT_TENANT) -> None:
        self.tenant = tenant
        self.agents: dict[str, SiteAgent] = {}
        self.reactive_queues: dict[str, str] = {}
        self.targets: dict[str, list[PacingTarget]] = {}
        self.policy = DEFAULT_POLICY
        self._read(configuration.snapshot)
        configuration.watch(lambda _old, new: self._read(new))

    @property
    def all_targets(self) -> list[PacingTarget]:
        """Every sound pacing target."""
        return [target for targets in self.targets.values() for target in targets]

    def _read(self, snapshot: ConfigurationSnapshot) -> None:
        self.agents = {
            name: SiteAgent(name, person.default_place, _capacity(snapshot, tenant, name))
            for (tenant, name), (_, person) in snapshot.agents.items()
            if tenant == self.tenant
        }
        self.reactive_queues = _reactive_queues(snapshot, self.tenant)
        self.policy = _policy(snapshot)
        self.targets = {}
        for target in discover(snapshot, tenant=self.tenant).targets:
            self.targets.setdefault(target.media_type, []).append(target)


def _capacity(snapshot: ConfigurationSnapshot, tenant: int, agent: str) -> dict[str, int]:
    rule = capacity_of(snapshot, tenant, agent)
    return {media: most for media, most in rule.items() if most > 0}


def _reactive_queues(snapshot: ConfigurationSnapshot, tenant: int) -> dict[str, str]:
    """The interaction queue of each medium's reactive customers.

    It is the one behind the first view of a strategy whose virtual queue is no pacing target.
    """
    found: dict[str, str] = {}
    for (of, _), (_, strategy) in snapshot.strategies.items():
        queue = snapshot.virtual_queues.get((of, strategy.virtual_queue or ""))
        if of != tenant or queue is None or "pacing" in queue[1].options or not strategy.views:
            continue
        view = snapshot.views.get((of, strategy.views[0]))
        if view is not None:
            found.setdefault(media_of(queue[1]), view[1].queue)
    return found


def _policy(snapshot: ConfigurationSnapshot) -> str:
    for _, application in snapshot.all_of(Application):
        chosen = application.option("pacing", "algorithm")
        if application.application_type == "application_cluster" and chosen is not None:
            return str(chosen)
    return DEFAULT_POLICY

"""The statistics that are counted now, found by what happens: object and action.

Fed by centre.py with each action; read by the requests, the subscriptions and the checkpoint.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from paceline.expressions.connectives import leaves
from paceline.expressions.filter_parse import AttributeIs, filter_predicate, parse_filter
from paceline.model.configuration import Tenant
from paceline.model.instant import to_millis, to_text
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.stat.live.interactions import OpenInteraction
from paceline.servers.stat.rules.actions import ABANDONMENT
from paceline.servers.stat.rules.definitions import StatisticKey
from paceline.servers.stat.rules.membership import NOBODY, Membership, membership

_NO_ATTRIBUTES: Final[Mapping[str, object]] = {}
_NEVER: Final = "9999"
"""After every instant written as RFC 3339."""


class Statistic:
    """One statistic: a number, or the target state, which is read from the agents."""

    __slots__ = (
        "_passes", "_reads_attributes", "id", "is_changes_based", "key", "openers", "since",
        "used_at", "value", "watch_count",
    )  # fmt: skip

    def __init__(self, key: StatisticKey, *, value: int = 0, since: str, used_at: int) -> None:
        self.id = key.id
        self.key = key
        self.value = value
        self.since = since
        self.used_at = used_at
        self.openers: set[str] = set()
        self.is_changes_based = False
        self.watch_count = 0
        parsed = parse_filter(key.filter)
        self._passes = filter_predicate(parsed) if key.filter else None
        self._reads_attributes = any(isinstance(leaf, AttributeIs) for leaf in leaves(parsed))

    def takes(self, interaction: OpenInteraction) -> bool:
        """Whether an interaction belongs to what is counted."""
        media = self.key.media_type
        if media is not None and media != interaction.media_type:
            return False
        if self._passes is None:
            return True
        attributes = interaction.attributes() if self._reads_attributes else _NO_ATTRIBUTES
        return self._passes(attributes, interaction.keys)


class Statistics:
    """All statistics of the server. `unsaved` totals go into the next checkpoint."""

    def __init__(self) -> None:
        self.by_id: dict[int, Statistic] = {}
        self.membership: Membership = NOBODY
        self.findings: tuple[Finding, ...] = ()
        self.unsaved: set[Statistic] = set()
        self.dropped: set[tuple[int, int]] = set()
        self._changed: set[Statistic] = set()
        self._on_queue: dict[tuple[int, str, str], list[Statistic]] = {}
        self._of_agents: dict[int, list[Statistic]] = {}
        self._on_agent: dict[tuple[int, str, str], tuple[Statistic, ...]] = {}
        self._targets: dict[tuple[int, str], tuple[Statistic, ...]] = {}
        self._blind: frozenset[tuple[int, str]] = frozenset()
        self._zones: dict[int, tzinfo] = {}
        self._next_reset = _NEVER

    # --- opening --------------------------------------------------------------------------------

    def add(self, statistic: Statistic) -> None:
        """Count it from now on."""
        key = statistic.key
        self.by_id[statistic.id] = statistic
        if key.object_kind == "Queue":
            for action in key.actions:
                self._on_queue.setdefault((key.tenant, key.objects[0], action), []).append(
                    statistic
                )
        else:
            self._of_agents.setdefault(key.tenant, []).append(statistic)
            self._forget_agents()
        if key.category == "TotalNumber":
            self.unsaved.add(statistic)
            if key.profile == "Default":
                self._next_reset = min(self._next_reset, self._reset_after(statistic))

    def drop(self, statistic: Statistic) -> None:
        """Count it no more."""
        key = statistic.key
        del self.by_id[statistic.id]
        self._changed.discard(statistic)
        if key.object_kind == "Queue":
            for action in key.actions:
                self._on_queue[key.tenant, key.objects[0], action].remove(statistic)
        else:
            self._of_agents[key.tenant].remove(statistic)
            self._forget_agents()
        if key.category == "TotalNumber":
            self.unsaved.discard(statistic)
            self.dropped.add((key.tenant, statistic.id))

    # --- counting -------------------------------------------------------------------------------

    def count_on_queue(self, number: str, action: str, interaction: OpenInteraction) -> None:
        """An action on a virtual queue happened."""
        tenant = interaction.tenant
        found = self._on_queue.get((tenant, number, action))
        if found and not (action in ABANDONMENT and (tenant, number) in self._blind):
            self._add(found, interaction, 1)

    def count_current(
        self, number: str, action: str, interaction: OpenInteraction, by: int
    ) -> None:
        """A durable action on a virtual queue began (1) or ended (-1)."""
        if found := self._on_queue.get((interaction.tenant, number, action)):
            self._add(found, interaction, by)

    def count_on_agent(self, agent: str, action: str, interaction: OpenInteraction) -> None:
        """An action of an agent happened; counts for the groups that the agent is in now."""
        place = (interaction.tenant, agent, action)
        found = self._on_agent.get(place)
        if found is None:
            found = tuple(
                s
                for s in self._of_agents.get(interaction.tenant, ())
                if action in s.key.actions and self.has_member(s, agent)
            )
            self._on_agent[place] = found
        if found:
            self._add(found, interaction, 1)

    def _add(self, found: Iterable[Statistic], interaction: OpenInteraction, by: int) -> None:
        for statistic in found:
            if statistic.takes(interaction):
                statistic.value += by
                self._note(statistic)

    def _note(self, statistic: Statistic) -> None:
        if statistic.watch_count:
            self._changed.add(statistic)
        if statistic.key.category == "TotalNumber":
            self.unsaved.add(statistic)

    def take_changed(self) -> list[Statistic]:
        """Watched numbers that changed since the last call."""
        found = sorted(self._changed, key=lambda statistic: statistic.id)
        self._changed.clear()
        return found

    # --- agents ---------------------------------------------------------------------------------

    def has_member(self, statistic: Statistic, agent: str) -> bool:
        """Whether the agent is one of the statistic's objects, or in one of its groups, now."""
        key = statistic.key
        if key.object_kind == "Agent":
            return key.objects[0] == agent
        members = self.membership.members
        return any(agent in members.get((key.tenant, group), ()) for group in key.objects)

    def members(self, statistic: Statistic) -> list[str]:
        """Names of all agents that a statistic is about, each once, in order."""
        key = statistic.key
        if key.object_kind == "Agent":
            return [key.objects[0]]
        found = (self.membership.members.get((key.tenant, group), ()) for group in key.objects)
        return sorted(set().union(*found))

    def watched_targets(self, tenant: int, agent: str) -> list[Statistic]:
        """Target states with subscribers that show this agent."""
        place = (tenant, agent)
        found = self._targets.get(place)
        if found is None:
            found = tuple(
                s
                for s in self._of_agents.get(tenant, ())
                if s.key.category == "CurrentTargetState" and self.has_member(s, agent)
            )
            self._targets[place] = found
        return [statistic for statistic in found if statistic.watch_count]

    def _forget_agents(self) -> None:
        self._on_agent.clear()
        self._targets.clear()

    # --- configuration and midnight -------------------------------------------------------------

    def configure(self, snapshot: ConfigurationSnapshot) -> None:
        """Take over memberships, names of virtual queues and time zones of a configuration."""
        self.membership = membership(snapshot, self.membership)
        self._forget_agents()
        names = snapshot.names
        blind = {
            place: object_id
            for place, (object_id, _) in snapshot.virtual_queues.items()
            if names[object_id] != place[1]
        }
        self._blind = frozenset(blind)
        findings = [_blind_finding(number, names[at]) for (_, number), at in blind.items()]
        self._next_reset = ""  # zones may have changed: the next `advance` looks again
        self._zones = {}
        for item, tenant in snapshot.all_of(Tenant):
            try:
                self._zones[item.id] = ZoneInfo(tenant.time_zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                findings.append(_zone_finding(item.name, tenant.time_zone))
        self.findings = (*self.membership.findings, *findings)

    def advance(self, at: str) -> None:
        """Reset totals of profile Default whose tenant's midnight has passed at an instant."""
        if at < self._next_reset:
            return
        self._next_reset = _NEVER
        for statistic in self.by_id.values():
            if statistic.key.profile != "Default":
                continue
            while (midnight := self._reset_after(statistic)) <= at:
                statistic.value, statistic.since = 0, midnight
                self._note(statistic)
            self._next_reset = min(self._next_reset, midnight)

    def _reset_after(self, statistic: Statistic) -> str:
        """First midnight of the tenant after the total's beginning."""
        zone = self._zones.get(statistic.key.tenant, UTC)
        began_ms = to_millis(statistic.since, field="since")
        began = datetime.fromtimestamp(began_ms / 1000, zone)
        day = (began + timedelta(days=1)).date()
        return to_text(
            round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
        )


def _blind_finding(number: str, alias: str) -> Finding:
    return Finding(
        f"virtual queue {number}",
        "name",
        f"its alias '{alias}' is not its number: abandoned interactions are not counted",
        f"set alias and number to the same text, such as '{number}'",
    )


def _zone_finding(tenant: str, zone: str) -> Finding:
    return Finding(
        f"tenant {tenant}",
        "time_zone",
        f"the time zone '{zone}' is unknown here: totals of the day are reset at midnight UTC",
        "give a name such as Europe/Berlin, and install the time zone data (tzdata)",
    )

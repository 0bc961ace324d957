"""Virtual queues for pacing: alias and number, medium, goal, and the agent groups that list them.

Called by `check_configuration` and by capacity.py for the targets. A virtual queue without a
`pacing` section is none of pacing's business and has no findings.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from paceline.model.configuration import AgentGroup, ConfigurationObject, Dn
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot

LIST_SEPARATORS = (",", ";", "|")
"""What separates media where somebody wrote a list, which is not allowed (A05)."""


@dataclass(frozen=True, slots=True)
class PacedQueue:
    """A virtual queue with a `pacing` section and the agent groups that list it."""

    item: ConfigurationObject
    dn: Dn
    groups: tuple[tuple[ConfigurationObject, AgentGroup], ...]

    @property
    def subject(self) -> str:
        """The object as findings name it."""
        return f"virtual queue '{self.dn.number}' of switch '{self.dn.switch}'"

    @property
    def medium(self) -> str:
        """The option `media` as written, empty when it is missing."""
        return str(self.dn.option("pacing", "media") or "").strip()

    @property
    def has_one_medium(self) -> bool:
        """Whether `media` names exactly one media type."""
        return bool(self.medium) and not any(mark in self.medium for mark in LIST_SEPARATORS)


def paced_queues(snapshot: ConfigurationSnapshot) -> list[PacedQueue]:
    """Enabled virtual queues of any switch that have a `pacing` section."""
    groups = [pair for pair in snapshot.all_of(AgentGroup) if pair[1].state == "enabled"]
    return [
        PacedQueue(item, dn, tuple(pair for pair in groups if _lists(pair, item, dn)))
        for item, dn in snapshot.all_of(Dn)
        if dn.dn_type == "virtual_queue" and dn.state == "enabled" and "pacing" in dn.options
    ]


def _lists(
    group: tuple[ConfigurationObject, AgentGroup], item: ConfigurationObject, dn: Dn
) -> bool:
    listed = group[1].origination_dns
    return group[0].tenant == item.tenant and (
        dn.number in listed or f"{dn.number}@{dn.switch}" in listed
    )


def check_virtual_queues(snapshot: ConfigurationSnapshot) -> Iterator[Finding]:
    """Every reason why a virtual queue with a `pacing` section is no sound pacing target."""
    for queue in paced_queues(snapshot):
        yield from _alias(queue)
        yield from _media(queue)
        yield from _goal(queue)
        yield from _groups(queue)


def _alias(queue: PacedQueue) -> Iterator[Finding]:
    alias = queue.item.name
    if alias != queue.dn.number:
        written = f"is '{alias}'" if alias.strip() else "is empty"
        yield Finding(
            queue.subject,
            "alias",
            f"the alias {written} and not the number, so abandonment would always read 0; "
            "the target gets no permits",
            f"set the alias to '{queue.dn.number}'",
        )


def _media(queue: PacedQueue) -> Iterator[Finding]:
    consequence = "the virtual queue is not monitored; the target gets no permits"
    if not queue.medium:
        yield Finding(
            queue.subject,
            "pacing.media",
            f"the media type is missing: {consequence}",
            "set media to one media type, such as chat",
        )
    elif not queue.has_one_medium:
        yield Finding(
            queue.subject,
            "pacing.media",
            f"'{queue.medium}' is a list: {consequence}",
            "name exactly one media type; give every other one its own virtual queue",
        )


def _goal(queue: PacedQueue) -> Iterator[Finding]:
    goal = queue.dn.option("pacing", "optimizationGoal")
    if goal is not None and not _is_percent(goal):
        yield Finding(
            queue.subject,
            "pacing.optimizationGoal",
            f"'{goal}' is not a number from 0 to 100: the last good value stays, else 3",
            "give the highest allowed abandoned share in percent, 0 to 100",
        )


def _is_percent(goal: str | int | float) -> bool:
    if isinstance(goal, bool):
        return False
    try:
        return 0.0 <= float(goal) <= 100.0
    except ValueError:
        return False


def _groups(queue: PacedQueue) -> Iterator[Finding]:
    if not queue.groups:
        yield Finding(
            queue.subject,
            "origination_dns",
            "no agent group lists the virtual queue, so it is no pacing target",
            f"add '{queue.dn.number}' to the origination DNs of the agent groups that serve it",
        )

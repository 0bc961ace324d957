"""Permits that can be spent now: by target, from each cluster and credential that reports.

In memory only: a restart leaves none. One spends them in one step of the event loop, so no permit
is spent twice; nor after its life, nor under a lower epoch, nor after its replacement.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from paceline.servers.engagement.rules.report import end_of_permits
from paceline.servers.engagement.rules.user_data import Facts
from paceline.units.quantities import Millis
from paceline.wire.operations.engagement import Permit, Report

Reporter = tuple[str, str]
"""Cluster and credential: epochs are compared within one of them."""


@dataclass(slots=True)
class Grant:
    """Permits of one target from one reporter; `unspent` falls, everything else stays."""

    permit: Permit
    facts: Facts
    epoch: int
    sequence: int
    expires_at: Millis
    unspent: int

    def living(self, now: Millis) -> int:
        """Permits that may be spent at this business instant."""
        return self.unspent if now < self.expires_at else 0


class Permits:
    """All grants."""

    def __init__(self) -> None:
        self._grants: dict[str, dict[Reporter, Grant]] = {}
        self._pages: dict[Reporter, tuple[int, int, set[int]]] = {}

    def apply(self, reporter: Reporter, report: Report, received_at: Millis) -> None:
        """Take a page of a report whose epoch and sequence are the newest; a page seen does nothing.

        The page's targets are replaced at once, those of no page when the last page is here; a
        higher epoch ends everything of the lower ones at once.
        """
        epoch, sequence, seen = self._pages.get(reporter, (-1, -1, set()))
        if (epoch, sequence) != (report.epoch, report.sequence):
            if epoch != report.epoch:
                self._drop(reporter, keep=None)
            seen = set()
            self._pages[reporter] = (report.epoch, report.sequence, seen)
        if report.page in seen:
            return
        seen.add(report.page)
        expires_at = end_of_permits(report, received_at)
        for permit in report.targets:
            self._grants.setdefault(permit.id, {})[reporter] = _grant(permit, report, expires_at)
        if len(seen) == report.pages:
            self._drop(reporter, keep=report.sequence)

    def spend(self, target: str, now: Millis) -> Facts | None:
        """Spend one permit of the target; None when there is none alive."""
        for grant in self._grants.get(target, {}).values():
            if grant.living(now) > 0:
                grant.unspent -= 1
                return grant.facts
        return None

    def __iter__(self) -> Iterator[tuple[str, list[Grant]]]:
        """Targets by id with their grants."""
        for target in sorted(self._grants):
            yield target, list(self._grants[target].values())

    def _drop(self, reporter: Reporter, *, keep: int | None) -> None:
        """Drop the reporter's grants but those of one sequence."""
        for target, grants in tuple(self._grants.items()):
            grant = grants.get(reporter)
            if grant is not None and grant.sequence != keep:
                del grants[reporter]
                if not grants:
                    del self._grants[target]


def _grant(permit: Permit, report: Report, expires_at: Millis) -> Grant:
    facts = Facts(
        target=permit.id,
        virtual_queue=permit.virtual_queue,
        media_type=permit.media_type,
        agent_groups=permit.agent_groups,
    )
    return Grant(permit, facts, report.epoch, report.sequence, expires_at, permit.permits)

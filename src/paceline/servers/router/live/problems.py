"""What went wrong while routing, kept for the findings; each is logged once.

Noted by the tasks, cleared by them when it has healed and as a whole when the configuration
changes. Bounded: the oldest give way.
"""

from collections.abc import Hashable

from paceline.model.options import Finding
from paceline.runtime.log import get_log

LIMIT = 200
"""Chosen: more mistakes than anybody reads at once."""

_log = get_log("router")


class Problems:
    """Findings by what they are about."""

    def __init__(self) -> None:
        self._findings: dict[Hashable, Finding] = {}

    def note(self, about: Hashable, finding: Finding) -> None:
        """Keep it; logged when it is new."""
        if self._findings.get(about) == finding:
            return
        self._findings.pop(about, None)
        self._findings[about] = finding
        if len(self._findings) > LIMIT:
            del self._findings[next(iter(self._findings))]
        _log.warning(
            f"{finding.object}: {finding.consequence}", field=finding.field, fix=finding.fix
        )

    def healed(self, about: Hashable) -> None:
        """Forget it."""
        self._findings.pop(about, None)

    def clear(self) -> None:
        """Forget all; what is still wrong is noted again."""
        self._findings.clear()

    def about(self, subject: str) -> Finding | None:
        """The latest finding about an object."""
        found = (f for f in reversed(self._findings.values()) if f.object == subject)
        return next(found, None)

    def findings(self) -> tuple[Finding, ...]:
        """All, oldest first."""
        return tuple(self._findings.values())

"""The three alarms of the pacing request: told once when detected, once when cancelled.

Documented numbers (pacing-service.md §5). The state is a value that is saved with the pacer's, so
that an alarm raised before a restart is cancelled after it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class AlarmKind(Enum):
    """Detect and cancel number."""

    REQUEST_FAILED = (100603, 100604)
    TARGET_ERROR = (100605, 100606)
    INVALID_ANSWER = (100607, 100608)

    @property
    def detect(self) -> int:
        """Number of the message that raises the alarm."""
        return self.value[0]

    @property
    def cancel(self) -> int:
        """Number of the message that clears it."""
        return self.value[1]


class Transition(NamedTuple):
    """A message to send: the number says whether it raises or clears."""

    number: int
    subject: str
    text: str


class ActiveAlarms:
    """Which alarms are raised, by kind and subject (a target, or the cluster)."""

    def __init__(self, active: Mapping[int, Mapping[str, str]] | None = None) -> None:
        self._active = {kind: dict((active or {}).get(kind.detect, {})) for kind in AlarmKind}

    def observe(self, kind: AlarmKind, troubles: Mapping[str, str]) -> list[Transition]:
        """Take the troubles there are now, text by subject; returns what changed.

        Never call it where nothing was learned about the kind: silence is no recovery.
        """
        active = self._active[kind]
        new = [
            Transition(kind.detect, subject, text)
            for subject, text in troubles.items()
            if subject not in active
        ]
        healed = [
            Transition(kind.cancel, subject, "it works again")
            for subject in active
            if subject not in troubles
        ]
        self._active[kind] = dict(troubles)
        return new + healed

    def texts(self) -> dict[int, dict[str, str]]:
        """Text of each active alarm by detect number and subject; also the form that is saved."""
        return {kind.detect: dict(active) for kind, active in self._active.items() if active}

"""Times since which interactions are handled or routed, to find those whose time is over. Memory only.

Follows what is committed (NodeState.settle); tasks/timers asks it for the next end. Lengths are not
kept: each group has one, looked up when asked, so that an option changes what is running too.
"""

from collections.abc import Callable

Key = tuple[int, str]
Group = int | tuple[int, str]
"""What has one length: a number of minutes, or tenant and medium."""
Length = Callable[[Group], int]
"""Milliseconds that a group may take."""


def _nobody_waits() -> None:
    """Until a timer watches."""


class Deadlines:
    """Interactions by group in the order of their last sign of life, so that the first ends first.

    `groups` has the group of each; read it, never change it.
    """

    def __init__(self) -> None:
        self._since: dict[Group, dict[Key, int]] = {}
        self.groups: dict[Key, Group] = {}
        self.on_earlier: Callable[[], None] = _nobody_waits

    def begin(self, key: Key, group: Group, now: int) -> None:
        """The time runs from now; one that runs already in this group goes on."""
        before = self.groups.get(key)
        if before is not None:
            if before == group:
                return
            self.end(key)
        self.groups[key] = group
        entries = self._since.setdefault(group, {})
        entries[key] = now
        if len(entries) == 1:
            self.on_earlier()

    def touch(self, key: Key, now: int) -> None:
        """A sign of life: the time begins anew. One that is not here is no matter."""
        if key in self.groups:
            entries = self._since[self.groups[key]]
            del entries[key]
            entries[key] = now

    def end(self, key: Key) -> None:
        """The time does not run any more; one that is not here is no matter."""
        group = self.groups.pop(key, None)
        if group is not None:
            entries = self._since[group]
            del entries[key]
            if not entries:
                del self._since[group]

    def next_end(self, length: Length) -> int | None:
        """When the earliest one ends."""
        ends = [next(iter(e.values())) + length(group) for group, e in self._since.items()]
        return min(ends, default=None)

    def ended(self, now: int, length: Length) -> list[tuple[Key, int]]:
        """Those whose time is over, with the instant it ran from; they are forgotten here."""
        found: list[tuple[Key, int]] = []
        for group, entries in tuple(self._since.items()):
            limit = now - length(group)
            for key, since in entries.items():
                if since > limit:
                    break
                found.append((key, since))
        for key, _ in found:
            self.end(key)
        return found

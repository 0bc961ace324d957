"""Browser sessions and one-time links: opaque keys, each known only here and to its browser.

Kept in memory: a restart of the console asks everyone to log in again. Never sees a password.
"""

from collections import OrderedDict
from typing import Final

from paceline.runtime.secret import new_secret
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import MachineTime
from paceline.servers.console.rules.watchers import Watcher

MAX_KEYS: Final = 10_000
"""Sessions, and links, kept at once; beyond it the oldest one ends (chosen: some MB at most)."""


class _Keys:
    """Keys of persons, each with the end of its life in monotonic seconds."""

    def __init__(self, machine: MachineTime) -> None:
        self._machine = machine
        self._kept: OrderedDict[str, tuple[float, Watcher]] = OrderedDict()

    def add(self, watcher: Watcher, life_s: float) -> str:
        now = self._machine.monotonic()
        for key in [key for key, (end, _) in self._kept.items() if end <= now]:
            del self._kept[key]
        while len(self._kept) >= MAX_KEYS:
            self._kept.popitem(last=False)
        key = new_secret().reveal()
        self._kept[key] = (now + life_s, watcher)
        return key

    def find(self, key: str) -> Watcher | None:
        end, watcher = self._kept.get(key, (0.0, None))
        return watcher if end > self._machine.monotonic() else None

    def drop(self, key: str) -> None:
        self._kept.pop(key, None)


class Sessions:
    """Who is logged in, and which links can still be used."""

    def __init__(self, settings: LiveSettings, machine: MachineTime) -> None:
        self._settings = settings
        self._sessions = _Keys(machine)
        self._links = _Keys(machine)

    def open(self, watcher: Watcher) -> str:
        """A new session; returns the key for the browser's cookie."""
        life_s = self._settings.current.seconds("console", "session-timeout")
        return self._sessions.add(watcher, life_s)

    def person(self, key: str) -> Watcher | None:
        """Whose session it is; None when there is none, or none any more."""
        return self._sessions.find(key)

    def close(self, key: str) -> None:
        """Ends a session; one that has ended stays so."""
        self._sessions.drop(key)

    def new_link(self, watcher: Watcher) -> str:
        """The key of a new one-time link."""
        life_s = self._settings.current.seconds("console", "link-timeout")
        return self._links.add(watcher, life_s)

    def use_link(self, key: str) -> Watcher | None:
        """Whom the link logs in; works once."""
        watcher = self._links.find(key)
        self._links.drop(key)
        return watcher

"""A configuration source that fills in addresses: `${url:NAME}` in the options of transactions.

Used for settings that name another server by its URL, such as `hybrid_integration`, where the
address is only known once that server runs. Asks the directory; never writes configuration.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject, Options, Transaction
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.sdk import ConfigurationSource
from paceline.sdk.configuration_follower import Listener
from paceline.sdk.directory import Directory

ASK_S = 1.0
"""How often addresses are asked for (chosen: a server that moved is found within two periods)."""

_PLACEHOLDER = re.compile(r"\$\{url:([^}]+)\}")

_log = get_log("assembly.addresses")


def named_servers(snapshot: ConfigurationSnapshot) -> set[str]:
    """Applications whose address some transaction asks for."""
    return {
        name
        for _, body in snapshot.all_of(Transaction)
        for keys in body.options.values()
        for value in keys.values()
        for name in _PLACEHOLDER.findall(str(value))
    }


def with_addresses(
    snapshot: ConfigurationSnapshot, urls: Mapping[str, str]
) -> ConfigurationSnapshot:
    """The snapshot with every known address filled in; an unknown one is left empty."""

    def fill(options: Options) -> Options:
        return {
            section: {
                key: _PLACEHOLDER.sub(lambda found: urls.get(found[1], ""), value)
                if isinstance(value, str)
                else value
                for key, value in keys.items()
            }
            for section, keys in options.items()
        }

    changed: list[ConfigurationObject] = []
    for item, body in snapshot.all_of(Transaction):
        options = fill(body.options)
        if options != body.options:
            filled = msgspec.structs.replace(body, options=options)
            changed.append(msgspec.structs.replace(item, body=filled))
    return snapshot.with_changes(changed, (), seq=snapshot.seq) if changed else snapshot


class ResolvedConfiguration:
    """See the module."""

    def __init__(
        self,
        source: ConfigurationSource,
        directory: Directory,
        machine: MachineTime,
        on_failure: Callable[[str], None],
    ) -> None:
        self._source = source
        self._directory = directory
        self._machine = machine
        self._urls: dict[str, str] = {}
        self._listeners: list[Listener] = []
        self._tasks = TaskGroup("addresses", on_failure)
        self._snapshot = with_addresses(source.snapshot, {})

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration now."""
        return self._snapshot

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each change."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Fill in what is known and follow the rest."""
        await self._ask()
        self._source.watch(lambda _old, _new: self._renew())
        self._tasks.start("ask", self._follow())

    async def close(self) -> None:
        """Follow no more; twice is fine."""
        await self._tasks.aclose()

    async def _follow(self) -> None:
        while True:
            await self._machine.sleep(ASK_S)
            await self._ask()

    async def _ask(self) -> None:
        names = named_servers(self._source.snapshot)
        if not names:
            return
        try:
            statuses = await self._directory.statuses()
        except PacelineError as error:
            _log.debug("addresses not known", why=error.message)
            return
        urls = {
            name: status.urls["default"]
            for name in names
            if (status := statuses.get(name)) is not None and "default" in status.urls
        }
        if urls != self._urls:
            self._urls = urls
            self._renew()

    def _renew(self) -> None:
        old, self._snapshot = self._snapshot, with_addresses(self._source.snapshot, self._urls)
        for listener in self._listeners:
            listener(old, self._snapshot)

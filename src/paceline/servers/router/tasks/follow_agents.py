"""Keeps the pool of agents as the Stat Server shows it: one target state per agent group.

Started by server.py. Opens CurrentTargetState for each group that serves a virtual queue, anew
after every reconnect; while the Stat Server is away nobody is known and nothing is delivered.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.connection import Subscription
from paceline.sdk.stat import StatServerClient
from paceline.servers.router.live.agents import AgentPool, Group, Slot
from paceline.servers.router.live.problems import Problems
from paceline.wire.operations.statistic import (
    Definition,
    OpenStatistic,
    StatisticChanges,
    StreamStatistics,
)

TARGET_STATE: Final = Definition(category="CurrentTargetState", subject="AgentStatus")


def groups_to_follow(snapshot: ConfigurationSnapshot) -> set[Group]:
    """Enabled agent groups that list any virtual queue; only they are ever offered anything."""
    return {
        key
        for key, (_, group) in snapshot.agent_groups.items()
        if group.state == "enabled" and group.origination_dns
    }


class AgentFollower:
    """Feeds the pool; `on_available` gets the slots that became available."""

    def __init__(
        self,
        *,
        statistics: StatServerClient,
        configuration: ConfigurationSource,
        settings: LiveSettings,
        times: Times,
        pool: AgentPool,
        problems: Problems,
        on_available: Callable[[list[Slot]], None],
    ) -> None:
        self._client = statistics
        self._configuration = configuration
        self._settings = settings
        self._times = times
        self._pool = pool
        self._problems = problems
        self._on_available = on_available
        self._group_of: dict[int, Group] = {}
        self._expects_all: set[int] = set()
        self._subscriptions: list[Subscription[StatisticChanges]] = []
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Opens what is missing, whenever something may be."""
        self._client.connection.watch_connection(self._connection_changed)
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            missing = sorted(self._wanted() - set(self._group_of.values()))
            if not missing or not self._client.connection.is_connected:
                continue
            try:
                is_whole = await self._open(missing)
            except PacelineError:
                is_whole = False
            if not is_whole:
                await self._times.machine.sleep(
                    self._settings.current.seconds("router", "problem-pause")
                )
                self._wake.set()

    def update(self) -> None:
        """The configuration changed: forget groups that are gone, open new ones."""
        wanted = self._wanted()
        for number, group in tuple(self._group_of.items()):
            if group not in wanted:
                del self._group_of[number]
                self._pool.drop_group(group)
        self._wake.set()

    def close(self) -> None:
        """Takes no more changes."""
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()

    def _wanted(self) -> set[Group]:
        return groups_to_follow(self._configuration.snapshot)

    def _connection_changed(self, is_connected: bool) -> None:
        if not is_connected:
            self.close()
            self._group_of.clear()
            self._expects_all.clear()
            self._pool.clear_states()
        self._wake.set()

    async def _open(self, groups: list[Group]) -> bool:
        """Opens and follows them; False when some were refused and are to be tried again."""
        opened = await self._client.statistic.open(
            items=tuple(
                OpenStatistic(
                    object_kind="GroupAgents",
                    object=name.replace(",", r"\,"),  # a plain comma would name several groups
                    definition=TARGET_STATE,
                    notification="ChangesBased",
                    tenant=tenant,
                )
                for tenant, name in groups
            )
        )
        if not self._client.connection.is_connected:
            return True  # lost meanwhile: the next connection opens all
        numbers = []
        for group, result in zip(groups, opened.items, strict=True):
            if result.id is None:
                self._note(group, result.error or "the Stat Server gives no reason")
            else:
                self._problems.healed(group)
                self._group_of[result.id] = group
                numbers.append(result.id)
        if numbers:
            self._subscribe(tuple(numbers))
        return len(numbers) == len(groups)

    def _subscribe(self, numbers: tuple[int, ...]) -> None:
        self._subscriptions.append(
            self._client.statistic.subscribe(
                lambda: StreamStatistics(ids=numbers),
                self._take,
                lambda _: self._expects_all.update(numbers),
            )
        )

    def _take(self, notice: StatisticChanges) -> None:
        group = self._group_of.get(notice.id)
        if group is None:
            return
        if notice.id in self._expects_all:
            self._expects_all.discard(notice.id)
            freed = self._pool.replace_group(group, notice.changed)
        else:
            freed = self._pool.change_group(group, notice.changed, notice.removed)
        self._on_available(freed)

    def _note(self, group: Group, why: str) -> None:
        self._problems.note(
            group,
            Finding(
                f"agent group '{group[1]}'",
                "origination_dns",
                f"its agents are unknown, so nothing is delivered to them: {why}",
                "see the reason; it is tried again by itself",
            ),
        )

"""Agents by group and medium, as the Stat Server counts them.

Read by tasks/sections.py. Keeps the ids of open statistics until a reading fails or the link ends.
"""

from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.sdk.stat import StatServerClient
from paceline.servers.console.rules.agents import AgentRow, agent_rows
from paceline.wire.operations.statistic import Definition, OpenStatistic

TARGET_STATE: Final = Definition(category="CurrentTargetState", subject="AgentStatus")

MAX_GROUPS: Final = 100
"""Groups shown, by name (chosen: a page that people can read)."""


def serving_groups(snapshot: ConfigurationSnapshot, tenant: int) -> list[str]:
    """Enabled groups of the tenant that list a virtual queue: only they are offered anything."""
    return sorted(
        name
        for (of, name), (_, group) in snapshot.agent_groups.items()
        if of == tenant and group.state == "enabled" and group.origination_dns
    )[:MAX_GROUPS]


class AgentReader:
    """Opens one statistic per group and one for all of them; peeks at them together."""

    def __init__(self, client: StatServerClient, tenant: int) -> None:
        self._client = client
        self._tenant = tenant
        self._asked: list[str] = []
        self._open: dict[int, str | None] = {}
        client.connection.watch_connection(self._forget)

    async def read(
        self, snapshot: ConfigurationSnapshot, timeout_s: float
    ) -> tuple[tuple[AgentRow, ...], bool]:
        """The rows, all groups together first; False when the figures are not up to date yet.

        Raises
        ------
        PacelineError
            When the Stat Server refuses or does not answer.
        """
        groups = serving_groups(snapshot, self._tenant)
        if groups != self._asked:
            await self._reopen(groups, timeout_s)
        if not self._open:
            return (), True
        try:
            peeked = await self._client.statistic.peek(ids=tuple(self._open), timeout_s=timeout_s)
        except PacelineError:
            self._forget()
            raise
        rows: list[AgentRow] = []
        for value in peeked.items:
            if value.state is not None and value.id in self._open:
                rows += agent_rows(self._open[value.id], value.state)
        return tuple(rows), peeked.is_live

    def _forget(self, _is_connected: bool = False) -> None:
        """The server may not know the ids any more: the next reading opens the statistics anew."""
        self._asked = []
        self._open = {}

    async def _reopen(self, groups: list[str], timeout_s: float) -> None:
        self._open = {}
        if groups:
            everyone = ",".join(name.replace(",", "\\,") for name in groups)
            names: list[str | None] = [None, *groups]
            opened = await self._client.statistic.open(
                items=tuple(
                    OpenStatistic(
                        object_kind="GroupAgents",
                        object=everyone if name is None else name,
                        definition=TARGET_STATE,
                        tenant=self._tenant,
                    )
                    for name in names
                ),
                timeout_s=timeout_s,
            )
            # With one group "all together" is the same statistic and id: the group's name stands.
            for name, result in zip(names, opened.items, strict=True):
                if result.id is not None:
                    self._open[result.id] = name
        self._asked = groups

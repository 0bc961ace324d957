"""The sections of the page: which server each is read from, and how its answers get on the board.

Run by tasks/collect.py. A reading raises what the server refused; nothing is repeated here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.engagement import EngagementEngineClient
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.message import MessageServerClient
from paceline.sdk.pacing import PacingServerClient
from paceline.sdk.router import RouterClient
from paceline.sdk.stat import StatServerClient
from paceline.servers.console.links.agents import AgentReader
from paceline.servers.console.links.servers import Client, Servers
from paceline.servers.console.live.board import Board

TIMEOUT_S: Final = 3.0
"""How long an answer may take before its section says so (chosen)."""

MAX_ROWS: Final = 200
"""Rows of one list on the page (chosen; lists of 10,000 are the full console's)."""

CLEARED_ALARMS: Final = 10
"""Alarms that are over and still shown below the active ones (chosen)."""

Read = Callable[[], Awaitable[str | None]]
"""Puts the answers on the board; returns what is wrong with them, None when nothing is."""

C = TypeVar("C", bound=Client)


@dataclass(frozen=True, slots=True)
class Section:
    """Figures from one server; without a client it is not read, only said to be missing."""

    name: str
    title: str
    client: Client | None
    read: Read


def sections_of(
    servers: Servers, board: Board, configuration: ConfigurationSource, tenant: int
) -> tuple[Section, ...]:
    """The sections in the order of the page."""
    read = _Readings(board, configuration, tenant)
    return (
        _section("alarms", "Message Server", servers.messages, read.alarms),
        _section("pacing", "Pacing Server", servers.pacing, read.pacing),
        _section("engagement", "engagement engine", servers.engagement, read.engagement),
        _section("queues", "Interaction Server", servers.interactions, read.queues),
        _section("virtual_queues", "Router", servers.router, read.virtual_queues),
        _section("agents", "Stat Server", servers.statistics, read.agents),
        _section("servers", "Configuration Server", servers.configuration, read.servers),
    )


def _section(
    name: str, title: str, client: C | None, read: Callable[[C], Awaitable[str | None]]
) -> Section:
    return Section(name, title, client, _nothing if client is None else partial(read, client))


async def _nothing() -> None:
    """For a section without a client; never awaited while `away` says so."""


class _Readings:
    """One reading per section; called only while the section's server is there."""

    def __init__(self, board: Board, configuration: ConfigurationSource, tenant: int) -> None:
        self._board = board
        self._configuration = configuration
        self._tenant = tenant
        self._agents: AgentReader | None = None

    async def alarms(self, client: MessageServerClient) -> str | None:
        active = await client.alarm.list(limit=MAX_ROWS, tenant=self._tenant, timeout_s=TIMEOUT_S)
        latest = await client.alarm.list(
            all=True, limit=CLEARED_ALARMS, tenant=self._tenant, timeout_s=TIMEOUT_S
        )
        over = tuple(alarm for alarm in latest.items if alarm.cleared_at is not None)
        self._board.alarms = active.items + over
        self._board.note("alarms", active.complete)
        return None

    async def pacing(self, client: PacingServerClient) -> str | None:
        page = await client.target.list(limit=MAX_ROWS, tenant=self._tenant, timeout_s=TIMEOUT_S)
        cluster = await client.cluster.get(tenant=self._tenant, timeout_s=TIMEOUT_S)
        self._board.targets, self._board.cluster = page.items, cluster
        self._board.note("targets", page.complete)
        return None

    async def engagement(self, client: EngagementEngineClient) -> str | None:
        page = await client.engagement_target.list(limit=MAX_ROWS, timeout_s=TIMEOUT_S)
        self._board.engagement = page.items
        return None

    async def queues(self, client: InteractionServerClient) -> str | None:
        queues = await client.queue.list(limit=MAX_ROWS, tenant=self._tenant, timeout_s=TIMEOUT_S)
        views = await client.view.list(limit=MAX_ROWS, tenant=self._tenant, timeout_s=TIMEOUT_S)
        self._board.queues, self._board.views = queues.items, views.items
        self._board.note("queues", queues.complete)
        self._board.note("views", views.complete)
        return None

    async def virtual_queues(self, client: RouterClient) -> str | None:
        page = await client.virtual_queue.list(
            limit=MAX_ROWS, tenant=self._tenant, timeout_s=TIMEOUT_S
        )
        self._board.virtual_queues = page.items
        self._board.note("virtual_queues", page.complete)
        return None

    async def agents(self, client: StatServerClient) -> str | None:
        if self._agents is None:
            self._agents = AgentReader(client, self._tenant)
        rows, is_live = await self._agents.read(self._configuration.snapshot, TIMEOUT_S)
        self._board.agents = rows
        return None if is_live else "the Stat Server is still catching up with the events"

    async def servers(self, client: ConfigurationServerClient) -> str | None:
        page = await client.application.status(limit=MAX_ROWS, timeout_s=TIMEOUT_S)
        self._board.servers = page.items
        self._board.note("servers", page.complete)
        return None

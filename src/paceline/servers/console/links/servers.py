"""The servers the console reads: one sdk client each, None where none is configured.

Made by server.py from what assembly connected. Never asks anything itself.
"""

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Protocol

from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.connection import Connection
from paceline.sdk.engagement import EngagementEngineClient
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.message import MessageServerClient
from paceline.sdk.pacing import PacingServerClient
from paceline.sdk.router import RouterClient
from paceline.sdk.stat import StatServerClient
from paceline.wire.operations.everywhere import Findings


class AsksFindings(Protocol):
    """The part of every client that asks a server for its findings."""

    def findings(self, *, timeout_s: float | None = None) -> Awaitable[Findings]:
        """Configuration mistakes and obstacles."""


class Client(Protocol):
    """What all clients have in common."""

    @property
    def connection(self) -> Connection:
        """The connection it stands on."""

    @property
    def server(self) -> AsksFindings:
        """Operations that every server answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Clients by kind of server."""

    configuration: ConfigurationServerClient | None = None
    messages: MessageServerClient | None = None
    interactions: InteractionServerClient | None = None
    statistics: StatServerClient | None = None
    router: RouterClient | None = None
    pacing: PacingServerClient | None = None
    engagement: EngagementEngineClient | None = None

    def named(self) -> Iterator[tuple[str, Client | None]]:
        """Every client with its server's name for people."""
        yield "Configuration Server", self.configuration
        yield "Message Server", self.messages
        yield "Interaction Server", self.interactions
        yield "Stat Server", self.statistics
        yield "Router", self.router
        yield "Pacing Server", self.pacing
        yield "engagement engine", self.engagement


def away(title: str, client: Client | None) -> str | None:
    """Why a server cannot be asked now, None when it can."""
    if client is None:
        return f"this console has no connection to the {title}; add one to its application"
    if client.connection.is_connected:
        return None
    why = client.connection.last_problem
    return f"the {title} is away" + (f": {why}" if why else "")

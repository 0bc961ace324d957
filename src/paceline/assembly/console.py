"""Builds the Console from its application. Called by hosted_server.py through kinds.py."""

from collections.abc import Callable
from typing import TypeVar

from paceline.assembly.parts import Built, Kind, Parts
from paceline.runtime.life_cycle import LifeCycle
from paceline.sdk import (
    Connection,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    RouterClient,
    StatServerClient,
)
from paceline.servers.console.links.servers import Servers
from paceline.servers.console.options import OPTIONS
from paceline.servers.console.server import ConsoleServer

C = TypeVar("C")


async def build(parts: Parts) -> Built:
    """A Console on whatever its application is connected to; the rest is shown as missing."""

    def client(make: Callable[[Connection], C], application_type: str) -> C | None:
        connection = parts.optional_connection(application_type, "operator")
        return None if connection is None else make(connection)

    server = ConsoleServer(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        servers=Servers(
            configuration=parts.site.client,
            messages=client(MessageServerClient, "message_server"),
            interactions=client(InteractionServerClient, "interaction_server"),
            statistics=client(StatServerClient, "stat_server"),
            router=client(RouterClient, "router"),
            pacing=client(PacingServerClient, "pacing_server"),
            engagement=client(EngagementEngineClient, "engagement_engine"),
        ),
        verify=parts.site.verify,
        metrics=parts.metrics,
        tenant=parts.tenant,
    )
    return Built(
        server=server,
        handlers=lambda: server.handlers,
        findings=server.findings,
        open_routes=lambda: server.open_routes,
    )


def entry_path(server: LifeCycle, user: str) -> str:
    """Path of a one-time link of a console that logs a browser in as this person."""
    if not isinstance(server, ConsoleServer):
        raise TypeError(f"{server!r} is no console")
    return server.entry_path(user)


KIND = Kind(application_type="console", options=OPTIONS, build=build)

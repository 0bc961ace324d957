"""Builds the Stat Server from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.parts import Built, Kind, Parts
from paceline.sdk import InteractionServerClient
from paceline.servers.stat.options import OPTIONS, is_site_section
from paceline.servers.stat.server import StatServer


async def build(parts: Parts) -> Built:
    """A Stat Server on all Interaction Servers it is connected to."""
    connections = parts.connections("interaction_server", "reporting")
    server = StatServer(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        database=await parts.store("stat"),
        interaction_servers={
            name: InteractionServerClient(connection) for name, connection in connections.items()
        },
        metrics=parts.metrics,
    )
    return Built(server=server, handlers=lambda: server.handlers, findings=server.findings)


KIND = Kind(
    application_type="stat_server",
    options=OPTIONS,
    build=build,
    is_own_section=lambda section, keys: not is_site_section(section, keys),
)

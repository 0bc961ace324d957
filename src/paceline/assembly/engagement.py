"""Builds the reference engagement engine from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.parts import Built, Kind, Parts
from paceline.sdk import InteractionServerClient
from paceline.servers.engagement.options import OPTIONS
from paceline.servers.engagement.server import EngagementServer


async def build(parts: Parts) -> Built:
    """An engine that submits to the Interaction Server it is connected to."""
    server = EngagementServer(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        database=await parts.store("engagement"),
        interactions=InteractionServerClient(
            parts.connection("interaction_server", "media_server")
        ),
        metrics=parts.metrics,
        tenant=parts.tenant,
    )
    return Built(
        server=server,
        handlers=lambda: server.handlers,
        findings=server.findings,
        open_routes=lambda: server.open_routes,
        verify=server.verifying(parts.site.verify),
    )


KIND = Kind(application_type="engagement_engine", options=OPTIONS, build=build)

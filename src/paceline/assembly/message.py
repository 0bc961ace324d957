"""Builds the Message Server from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.parts import Built, Kind, Parts
from paceline.servers.message.options import OPTIONS
from paceline.servers.message.server import MessageServer


async def build(parts: Parts) -> Built:
    """A Message Server on its database."""
    server = MessageServer(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        database=await parts.store("message"),
        metrics=parts.metrics,
    )
    return Built(server=server, handlers=lambda: server.handlers, findings=server.findings)


KIND = Kind(application_type="message_server", options=OPTIONS, build=build)

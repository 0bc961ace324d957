"""Builds the Router from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.parts import Built, Kind, Parts
from paceline.sdk import InteractionServerClient, StatServerClient
from paceline.servers.router.options import OPTIONS
from paceline.servers.router.server import Router


async def build(parts: Parts) -> Built:
    """A Router on its Interaction Server and its Stat Server."""
    interactions = parts.connection("interaction_server", "router")
    server = Router(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        interactions=InteractionServerClient(interactions),
        statistics=StatServerClient(parts.connection("stat_server", "operator")),
        metrics=parts.metrics,
    )
    return Built(server=server, handlers=lambda: server.handlers, findings=server.findings)


KIND = Kind(application_type="router", options=OPTIONS, build=build)

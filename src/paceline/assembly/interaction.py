"""Builds the Interaction Server from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.access import open_store
from paceline.assembly.parts import Built, Kind, Parts
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.servers.interaction.options import OPTIONS
from paceline.servers.interaction.server import InteractionServer, stored_business_time
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Transaction
from paceline.units.quantities import Millis

DEFAULT_NODE = 1
"""Code of a small site's only node: the option node.code's default."""

_log = get_log("assembly.interaction")


async def build(parts: Parts) -> Built:
    """An Interaction Server that holds the lease of its node; a standby waits here for it."""
    database = await parts.store("interaction")
    await database.transaction(_nothing)  # a standby has its connections open
    code = parts.settings.current.integer("node", "code")
    leadership = parts.leadership(f"interaction/{code}", parts.on_end)
    _log.standard("waiting for the lease of the node", application=parts.name, node=code)
    server = InteractionServer(
        name=parts.name,
        settings=parts.settings,
        times=parts.times,
        configuration=parts.configuration,
        database=database,
        epoch=await leadership.take(),
        metrics=parts.metrics,
        on_stale=parts.on_end,
    )
    return Built(
        server=server,
        handlers=lambda: server.handlers,
        findings=server.findings,
        is_trusted=leadership.is_trusted,
        on_session=server.session_began,
    )


async def _nothing(_transaction: Transaction) -> None:
    """Opens the connection that writes."""


async def last_business_time(point: AccessPoint, times: Times) -> Millis | None:
    """The business time of the last commit in a database of one node; None when it is new."""
    database = await open_store(point, ("interaction",), times=times, pool_size=1)
    try:
        stored = await stored_business_time(database, DEFAULT_NODE)
    finally:
        await database.close()
    return None if stored is None else Millis(stored)


KIND = Kind(application_type="interaction_server", options=OPTIONS, build=build)

"""Builds a node of a pacing cluster from its application. Called by hosted_server.py through kinds.py."""

from paceline.assembly.addresses import ResolvedConfiguration
from paceline.assembly.parts import Built, Kind, Parts
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.log import get_log
from paceline.sdk import MessageServerClient, StatServerClient
from paceline.servers.configuration.rules.effective import is_pacing_cluster
from paceline.servers.pacing.live.reporter import Identity
from paceline.servers.pacing.options import OPTIONS
from paceline.servers.pacing.server import PacingServer

_log = get_log("assembly.pacing")


async def build(parts: Parts) -> Built:
    """A pacing node that competes for the lease of its cluster; the others wait their turn."""
    cluster = _cluster(parts)
    database = await parts.store("pacing")
    leadership = parts.leadership(f"pacing/{cluster}", _step_down)
    await leadership.compete()
    configuration = ResolvedConfiguration(
        parts.configuration, parts.site.directory, parts.times.machine, parts.on_end
    )
    await configuration.start()
    parts.opened.push_async_callback(configuration.close)
    messages = parts.optional_connection("message_server", "operator")
    server = PacingServer(
        Identity(node=parts.name, cluster=cluster, tenant=parts.tenant),
        settings=parts.settings,
        times=parts.times,
        configuration=configuration,
        database=database,
        statistics=StatServerClient(parts.connection("stat_server", "operator")),
        messages=None if messages is None else MessageServerClient(messages),
        leadership=leadership,
        metrics=parts.metrics,
        transport=parts.surroundings.http_transport(),
    )
    return Built(server=server, handlers=lambda: server.handlers, findings=server.findings)


def _cluster(parts: Parts) -> str:
    applications = {
        item.name: body for item, body in parts.configuration.snapshot.all_of(Application)
    }
    found = [
        link.server
        for link in parts.application.connections
        if (body := applications.get(link.server)) is not None and is_pacing_cluster(body)
    ]
    if len(found) != 1:
        raise PacelineError(
            "start_refused",
            f"application '{parts.name}' is connected to {len(found)} pacing clusters; give it "
            "exactly one connection to an application_cluster",
            field="connections",
        )
    return found[0]


def _step_down(reason: str) -> None:
    _log.warning("another pacing node is the master now", why=reason)


KIND = Kind(application_type="pacing_server", options=OPTIONS, build=build)

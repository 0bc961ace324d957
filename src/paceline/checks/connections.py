"""Connections of applications: unknown servers, and pacing clusters that lack what they need.

Called by `check_configuration`. Looks at the configuration only, never at what is reachable.
"""

from collections.abc import Iterator

from paceline.model.configuration import AccessPoint, Application, ApplicationType
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot


def check_connections(snapshot: ConfigurationSnapshot) -> Iterator[Finding]:
    """Connections to nothing, pacing clusters without Stat Server, pacing nodes without a cluster."""
    types = {item.name: body.application_type for item, body in snapshot.all_of(Application)}
    known = types.keys() | {item.name for item, _ in snapshot.all_of(AccessPoint)}
    for item, body in snapshot.all_of(Application):
        if body.state != "enabled":
            continue
        subject = f"application '{item.name}'"
        yield from _unknown(subject, body, known)
        if _is_pacing_cluster(body):
            yield from _cluster(subject, body, types)
        elif body.application_type == "pacing_server":
            yield from _node(subject, body, types)


def _unknown(subject: str, body: Application, known: set[str]) -> Iterator[Finding]:
    for connection in body.connections:
        if connection.server not in known:
            yield Finding(
                subject,
                "connections",
                f"there is no application or access point '{connection.server}', "
                "so the connection is never made",
                f"create '{connection.server}' or remove the connection",
            )


def _is_pacing_cluster(body: Application) -> bool:
    """A cluster with `cluster-settings.cluster-type` is a list of interaction servers instead."""
    return (
        body.application_type == "application_cluster"
        and body.option("cluster-settings", "cluster-type") is None
    )


def _count(body: Application, wanted: ApplicationType, types: dict[str, ApplicationType]) -> int:
    return sum(types.get(connection.server) == wanted for connection in body.connections)


def _cluster(
    subject: str, body: Application, types: dict[str, ApplicationType]
) -> Iterator[Finding]:
    if _count(body, "stat_server", types) == 0:
        yield Finding(
            subject,
            "connections",
            "the pacing cluster has no connection to a Stat Server, "
            "so no target has statistics and all get 0 permits",
            "connect the cluster application to the Stat Server that sees the targets",
        )


def _node(subject: str, body: Application, types: dict[str, ApplicationType]) -> Iterator[Finding]:
    clusters = _count(body, "application_cluster", types)
    if clusters != 1:
        yield Finding(
            subject,
            "connections",
            f"the pacing node is connected to {clusters} clusters instead of one, "
            "so it has no options and no targets",
            "connect it to exactly one cluster application",
        )

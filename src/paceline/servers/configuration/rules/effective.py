"""Options and connections of an application as they work, with what a pacing node has from its cluster.

Called by requests/apply.py. The rule is for pacing clusters: a cluster application with
`cluster-settings.cluster-type` is a list of members, from which nobody inherits.
"""

import msgspec

from paceline.model.configuration import Application, Connection
from paceline.model.snapshot import ConfigurationSnapshot


def cluster_of(snapshot: ConfigurationSnapshot, application: Application) -> Application | None:
    """The pacing cluster of a node: the only one it is connected to, None without or with several."""
    by_name = {item.name: body for item, body in snapshot.all_of(Application)}
    clusters = [
        body
        for link in application.connections
        if (body := by_name.get(link.server)) is not None and is_pacing_cluster(body)
    ]
    return clusters[0] if len(clusters) == 1 else None


def is_pacing_cluster(application: Application) -> bool:
    """Whether nodes that connect to it inherit from it."""
    return (
        application.application_type == "application_cluster"
        and application.option("cluster-settings", "cluster-type") is None
    )


def effective(snapshot: ConfigurationSnapshot, application: Application) -> Application:
    """The application with its cluster's options under its own, and its cluster's connections."""
    cluster = cluster_of(snapshot, application)
    if cluster is None:
        return application
    sections = {**cluster.options, **application.options}
    options = {
        section: {**cluster.options.get(section, {}), **application.options.get(section, {})}
        for section in sections
    }
    own = {link.server for link in application.connections}
    inherited: tuple[Connection, ...] = tuple(
        link for link in cluster.connections if link.server not in own
    )
    return msgspec.structs.replace(
        application, options=options, connections=(*application.connections, *inherited)
    )

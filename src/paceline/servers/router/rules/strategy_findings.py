"""What the configuration alone shows to be wrong with strategies.

Called by the Router for its findings and its list of strategies. Never looks at live state.
"""

from collections.abc import Iterator

from paceline.model.configuration import Strategy
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.router.rules.choose_queue import serving_groups

ViewKey = tuple[int, str]
"""Tenant and view."""


def strategy_of_view(snapshot: ConfigurationSnapshot) -> dict[ViewKey, str]:
    """The strategy that pulls from each existing view; the first by name when several name it."""
    owners: dict[ViewKey, str] = {}
    for (tenant, name), (_, strategy) in sorted(snapshot.strategies.items()):
        if strategy.state != "enabled":
            continue
        for view in strategy.views:
            if (tenant, view) in snapshot.views:
                owners.setdefault((tenant, view), name)
    return owners


def strategy_findings(
    snapshot: ConfigurationSnapshot, tenant: int, name: str, strategy: Strategy
) -> Iterator[Finding]:
    """Unknown views and virtual queue, views taken by another strategy, a queue nobody serves."""
    subject = f"strategy '{name}'"
    owners = strategy_of_view(snapshot)
    for view in strategy.views:
        if (tenant, view) not in snapshot.views:
            yield Finding(
                subject,
                "views",
                f"there is no view '{view}', so nothing is pulled from it",
                f"create the view '{view}' or name another",
            )
        elif strategy.state == "enabled" and owners[tenant, view] != name:
            yield Finding(
                subject,
                "views",
                f"strategy '{owners[tenant, view]}' pulls from view '{view}', this one does not",
                "name each view in one strategy only",
            )
    if strategy.virtual_queue is not None:
        yield from _queue(snapshot, subject, tenant, strategy.virtual_queue)


def _queue(
    snapshot: ConfigurationSnapshot, subject: str, tenant: int, number: str
) -> Iterator[Finding]:
    if (tenant, number) not in snapshot.virtual_queues:
        yield Finding(
            subject,
            "virtual_queue",
            f"there is no virtual queue '{number}': what does not name its own is placed back",
            f"create the virtual queue '{number}' or name another",
        )
    elif not serving_groups(snapshot, tenant, number):
        yield Finding(
            f"virtual queue '{number}'",
            "origination_dns",
            "no agent group lists it, so what waits in it is never delivered",
            f"add '{number}' to the origination DNs of the agent groups that serve it",
        )

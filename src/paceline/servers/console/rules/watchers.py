"""Who may watch the live page: enabled persons of the console's tenant whose groups read everything.

Asked at each request with the configuration of that moment, so that a disabled person is out at once.
"""

from typing import NamedTuple

from paceline.model.configuration import ADMINISTRATOR, Person
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.access import may
from paceline.wire.call import Principal
from paceline.wire.operations.catalogue import OPERATIONS_OF

WATCHED = (
    ("configuration", "application.status"),
    ("interaction", "queue.list"),
    ("interaction", "event.stream"),
    ("stat", "statistic.peek"),
    ("router", "virtual_queue.list"),
    ("pacing", "target.list"),
    ("engagement", "engagement_target.list"),
    ("message", "alarm.list"),
)
"""One operation of each kind of figure on the page: who lacks a right on one sees no page."""


class Watcher(NamedTuple):
    """A person by tenant and user name."""

    tenant: int
    name: str


def watcher_of(principal: Principal) -> Watcher:
    """The person behind a token; a principal of the whole site belongs to the default tenant."""
    return Watcher(
        principal.tenants[0] if principal.tenants else DEFAULT_TENANT,
        principal.name,
    )


def refusal(snapshot: ConfigurationSnapshot, tenant: int, watcher: Watcher) -> str | None:
    """Why this person may not see the page of a tenant, None when nothing stands against it."""
    found = snapshot.named(watcher.tenant, Person, "persons", watcher.name)
    if found is None or not isinstance(found.body, Person) or found.body.state != "enabled":
        return "this person is not in the configuration, or is disabled"
    person = found.body
    is_of_site = watcher.tenant == DEFAULT_TENANT and ADMINISTRATOR in person.access_groups
    if watcher.tenant != tenant and not is_of_site:
        return "this console shows another tenant"
    principal = Principal(name=watcher.name, kind="person", access_groups=person.access_groups)
    if all(may(principal, OPERATIONS_OF[kind][name]) for kind, name in WATCHED):
        return None
    return (
        "the page shows the whole site: it is for the access groups supervisor, operator, "
        "auditor and administrator"
    )

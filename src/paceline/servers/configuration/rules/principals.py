"""Who a person or an application is in its token: tenants and access groups.

Called by live/identities.py at each login and renewal.
"""

from paceline.model.configuration import (
    ADMINISTRATOR,
    SERVER,
    Application,
    ConfigurationObject,
    Person,
)
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.call import Principal

PERSON, APPLICATION = "person", "application"


def principal_of(snapshot: ConfigurationSnapshot, item: ConfigurationObject) -> Principal | None:
    """The principal of an object, None while it or its tenant is disabled.

    Applications are of access group `server` and of the tenants they list, without any of the
    whole site. An administrator of tenant 1 administers the whole site.
    """
    if not _is_enabled(snapshot, item):
        return None
    if isinstance(item.body, Application):
        return Principal(
            name=item.name,
            kind=APPLICATION,
            tenants=_tenants(snapshot, item.body),
            access_groups=(SERVER,),
        )
    if isinstance(item.body, Person):
        groups = item.body.access_groups
        is_of_site = item.tenant == DEFAULT_TENANT and ADMINISTRATOR in groups
        tenants = () if is_of_site else (item.tenant,)
        return Principal(name=item.name, kind=PERSON, tenants=tenants, access_groups=groups)
    return None


def _is_enabled(snapshot: ConfigurationSnapshot, item: ConfigurationObject) -> bool:
    tenant = snapshot.objects.get(("tenants", item.tenant))
    return item.body.state == "enabled" and (tenant is None or tenant.body.state == "enabled")


def _tenants(snapshot: ConfigurationSnapshot, application: Application) -> tuple[int, ...]:
    listed = set(application.tenants)
    return tuple(
        sorted(
            item.id
            for item in snapshot.objects.values()
            if item.type == "tenants" and item.name in listed
        )
    )

"""Objects as answers and notices show them: secrets as `***` for everyone but servers.

Called by requests and by live/change_feed.py.
"""

import msgspec

from paceline.model.configuration import SERVER, ConfigurationObject
from paceline.servers.configuration.rules.secret_fields import SecretNames, masked
from paceline.wire.call import Principal
from paceline.wire.operations.configuration import ObjectRecord


def sees_secrets(principal: Principal) -> bool:
    """Servers need passwords of access points and secret options to do their work; no person does."""
    return SERVER in principal.access_groups


def sees_tenant(principal: Principal, tenant: int) -> bool:
    """Whether the principal may act for a tenant; without any listed it may for all."""
    return not principal.tenants or tenant in principal.tenants


def record_of(
    item: ConfigurationObject, principal: Principal, secrets: SecretNames
) -> ObjectRecord:
    """The object as this caller may see it."""
    body = item.body if sees_secrets(principal) else masked(item.body, secrets)
    return ObjectRecord(
        type=item.type,
        id=item.id,
        tenant=item.tenant,
        name=item.name,
        version=item.version,
        body=msgspec.Raw(msgspec.json.encode(body)),
    )

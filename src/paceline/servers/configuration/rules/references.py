"""Which field of which object names which other object: one table, one walk.

Called by site.py to find referrers and by plan.py to rewrite names after a rename.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec

from paceline.model.configuration import (
    AgentGroup,
    Application,
    Body,
    BusinessProcess,
    CapacityRule,
    Dn,
    InteractionQueue,
    Person,
    Place,
    PlaceGroup,
    Strategy,
    Tenant,
    View,
    Workbin,
)

Shape = Literal["one", "many", "keys", "servers"]
"""A name or none, a tuple of names, the keys of a dict, the `server` of each connection."""


class Field(NamedTuple):
    """A field that names objects of one type; `kind` is the struct where a type has several."""

    name: str
    target: str
    shape: Shape = "one"
    kind: type[Body] | None = None


class Reference(NamedTuple):
    """One name in one field."""

    field: Field
    name: str


_FOLDER = Field("folder", "folders")
_CAPACITY = Field("capacity_rule", "scripts", kind=CapacityRule)
_PROCESS = Field("business_process", "business-processes")
_GROUPS = Field("access_groups", "access-groups", "many")

FIELDS: dict[type[Body], tuple[Field, ...]] = {
    Tenant: (_CAPACITY,),
    Dn: (Field("switch", "switches"),),
    Person: (
        Field("skills", "skills", "keys"),
        _GROUPS,
        _CAPACITY,
        Field("default_place", "places"),
    ),
    Place: (_CAPACITY,),
    PlaceGroup: (Field("places", "places", "many"),),
    AgentGroup: (
        Field("agents", "persons", "many"),
        Field("origination_dns", "dns", "many"),
        Field("supervisors", "persons", "many"),
    ),
    BusinessProcess: (_GROUPS,),
    Application: (
        Field("host", "hosts"),
        Field("connections", "applications", "servers"),
        Field("tenants", "tenants", "many"),
        Field("log_on_account", "persons"),
    ),
    InteractionQueue: (_PROCESS,),
    View: (
        _PROCESS,
        Field("queue", "scripts", kind=InteractionQueue),
        Field("workbin", "scripts", kind=Workbin),
    ),
    Strategy: (
        _PROCESS,
        Field("views", "scripts", "many", View),
        Field("virtual_queue", "dns"),
    ),
    Workbin: (_PROCESS,),
}
"""Fields of each struct beside `folder`, which all have. Skills inside expressions are no
references: a missing one is a finding, the comparison is then false."""


def references_of(body: Body) -> list[Reference]:
    """Every name in a body, in the order of the table."""
    found: list[Reference] = []

    def note(reference: Reference) -> str:
        found.append(reference)
        return reference.name

    with_names(body, note)
    return found


def with_names(body: Body, name_of: Callable[[Reference], str]) -> Body:
    """The body with each name replaced by what `name_of` gives for it."""
    changes: dict[str, Any] = {}
    for field in (_FOLDER, *FIELDS.get(type(body), ())):
        old = getattr(body, field.name)
        new = _mapped(field, old, name_of)
        if new != old:
            changes[field.name] = new
    return msgspec.structs.replace(body, **changes) if changes else body


def _mapped(field: Field, value: Any, name_of: Callable[[Reference], str]) -> Any:
    match field.shape:
        case "one":
            return name_of(Reference(field, value)) if value else value
        case "many":
            return tuple(name_of(Reference(field, name)) for name in value)
        case "keys":
            return {name_of(Reference(field, name)): inner for name, inner in value.items()}
        case "servers":
            return tuple(
                msgspec.structs.replace(link, server=name_of(Reference(field, link.server)))
                for link in value
            )

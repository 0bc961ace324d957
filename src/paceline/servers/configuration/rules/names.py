"""Names of objects: what may be a name, and the key by which one object is found.

Called by bodies.py, site.py and plan.py.
"""

import difflib
import unicodedata

from paceline.errors.failure import PacelineError
from paceline.model.configuration import OBJECT_TYPES, Body, Dn, Folder, Script
from paceline.units.quantities import DEFAULT_TENANT

LONGEST_NAME = 255
"""Characters, as the field's databases keep them (chosen)."""

SHARED_TYPES = frozenset({"tenants", "hosts", "applications", "access-points", "access-groups"})
"""Types of the whole site: their names are unique in it, and objects of any tenant may refer to them."""

UNIQUE_IN_SITE = SHARED_TYPES | {"persons"}
"""A person logs in without naming a tenant, so that user names are unique too."""

Key = tuple[str, int, str]
"""Namespace, tenant (0 = the whole site) and key text."""


def check_type(object_type: str) -> None:
    """Refuse an object type that does not exist.

    Raises
    ------
    PacelineError
        `invalid_attribute` with the nearest known type.
    """
    if object_type in OBJECT_TYPES:
        return
    near = difflib.get_close_matches(object_type, OBJECT_TYPES, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(OBJECT_TYPES)}"
    raise PacelineError(
        "invalid_attribute", f"there is no object type '{object_type}'; {hint}", field="type"
    )


def checked_name(object_type: str, name: str) -> str:
    """The name in NFC. A DN's name is its alias and may be empty.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it cannot be a name.
    """
    clean = unicodedata.normalize("NFC", name)
    if not clean and object_type == "dns":
        return clean
    _check(object_type, "name", clean)
    return clean


def check_number(number: str) -> None:
    """Refuse what cannot be a DN's number; `@` separates number and switch in references.

    Raises
    ------
    PacelineError
        `invalid_attribute`.
    """
    _check("dns", "number", number)
    if "@" in number:
        raise PacelineError(
            "invalid_attribute", f"dns '{number}': a number has no '@'; remove it", field="number"
        )


def _check(object_type: str, field: str, text: str) -> None:
    if not text.strip():
        what, fix = f"the {field} is empty", "give it one"
    elif text != text.strip():
        what, fix = f"the {field} {text!r} begins or ends with a space", "remove the space"
    elif "/" in text or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        what, fix = f"the {field} {text!r} has '/' or a control character", "remove it"
    elif len(text) > LONGEST_NAME:
        what, fix = f"the {field} has {len(text)} characters", f"use at most {LONGEST_NAME}"
    else:
        return
    raise PacelineError("invalid_attribute", f"{object_type}: {what}; {fix}", field=field)


def namespace(object_type: str) -> str:
    """Connections name applications and access points alike, so that they share their names."""
    return "applications" if object_type == "access-points" else object_type


def script_kind(kind: type[Body]) -> str:
    """The `script_type` of a script's struct, empty for other objects."""
    return str(kind.__struct_config__.tag or "")


def key_text(name: str, body: Body) -> str:
    """What is unique within type and tenant: DNs go by number and switch, scripts also by kind."""
    if isinstance(body, Dn):
        return f"{body.number}@{body.switch}"
    if isinstance(body, Folder):
        return f"{body.object_type}:{name}"
    if isinstance(body, Script):
        return f"{script_kind(type(body))}:{name}"
    return name


def key_of(object_type: str, tenant: int, name: str, body: Body) -> Key:
    """The key by which `apply` and references find an object."""
    scope = 0 if object_type in UNIQUE_IN_SITE else tenant
    return namespace(object_type), scope, key_text(name, body)


def home_of(object_type: str, tenant: int) -> int:
    """The tenant an object stands in: tenants themselves stand in the first."""
    return DEFAULT_TENANT if object_type == "tenants" else tenant

"""Custom properties: user data keys that views can select, order and segment by.

Read from the business attribute InteractionCustomProperties of each tenant by the Interaction
Server, the checks and the expressions. Each has a column of its own in the node's database.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from paceline.model.configuration import BusinessAttribute
from paceline.model.snapshot import ConfigurationSnapshot

ATTRIBUTE: Final = "InteractionCustomProperties"
"""The documented business attribute whose values are custom properties (interaction-server.md §2)."""

SECTION: Final = "translation"
"""The documented annex section of a value."""

MAX_PROPERTIES: Final = 32
"""Custom properties of a tenant; chosen: each is an index that every submission pays for."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Within what every engine takes for a column together with the prefix of its type."""


class PropertyType(StrEnum):
    """The documented types."""

    STRING = "string"
    NUMBER = "number"
    TIMESTAMP = "timestamp"


_PREFIXES: Final = {
    PropertyType.STRING: "string",
    PropertyType.NUMBER: "number",
    PropertyType.TIMESTAMP: "timestamp",
}


class CustomProperty(msgspec.Struct, frozen=True):
    """One custom property: the user data key, the name it is translated to, its type."""

    key: str
    name: str
    type: PropertyType

    @property
    def column(self) -> str:
        """Its column: the type stands in the name, so that a change of type is another column."""
        return f"{_PREFIXES[self.type]}_{self.name}"


class Unusable(msgspec.Struct, frozen=True):
    """A value of the attribute that makes no custom property: which field of it, and why."""

    key: str
    field: str
    problem: str
    fix: str


def custom_properties(
    snapshot: ConfigurationSnapshot, tenant: int
) -> tuple[tuple[CustomProperty, ...], tuple[Unusable, ...]]:
    """The custom properties of a tenant in their order, and the values that make none."""
    good: list[CustomProperty] = []
    bad: list[Unusable] = []
    found = snapshot.named(tenant, BusinessAttribute, "business-attributes", ATTRIBUTE)
    if found is None or not isinstance(found.body, BusinessAttribute):
        return (), ()
    for item in _read(found.body):
        if isinstance(item, Unusable):
            bad.append(item)
        elif any(item.column == other.column for other in good):
            problem = f"another key is translated to '{item.name}' already"
            bad.append(
                Unusable(item.key, "translate-to", problem, "give each key its own translate-to")
            )
        elif len(good) == MAX_PROPERTIES:
            problem = f"a tenant has at most {MAX_PROPERTIES} custom properties"
            bad.append(Unusable(item.key, "values", problem, "remove those that no view uses"))
        else:
            good.append(item)
    return tuple(good), tuple(bad)


def _read(attribute: BusinessAttribute) -> Iterator[CustomProperty | Unusable]:
    for key in attribute.values:
        annex = attribute.value_options.get(key, {}).get(SECTION, {})
        name = str(annex.get("translate-to", "")).lower()
        kind = str(annex.get("type", PropertyType.STRING))
        if not _NAME.fullmatch(name):
            yield Unusable(
                key,
                "translate-to",
                f"its option {SECTION}/translate-to is '{name}'",
                "write a lower-case letter, then letters, digits and _, at most 40 in all",
            )
        elif kind not in list(PropertyType):
            known = ", ".join(PropertyType)
            problem = f"its option {SECTION}/type is '{kind}'"
            yield Unusable(key, "type", problem, f"write one of {known}")
        else:
            yield CustomProperty(key, name, PropertyType(kind))

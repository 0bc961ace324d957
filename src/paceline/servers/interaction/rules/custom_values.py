"""Values of custom properties in user data: which keys of a tenant have a column, and of what type.

Called at submission and at each change of user data; costs nothing where a tenant has none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.expressions.operands import SMALLEST
from paceline.expressions.properties import SYSTEM_PROPERTIES, KnownProperties
from paceline.model.configuration import BusinessAttribute
from paceline.model.custom_properties import (
    ATTRIBUTE,
    CustomProperty,
    PropertyType,
    custom_properties,
)
from paceline.model.instant import to_millis
from paceline.model.interaction import CustomValue
from paceline.model.snapshot import ConfigurationSnapshot

MAX_TEXT = 256
"""Characters of a text that are kept: documented that long texts are not allowed; an index takes these."""

LARGEST = 1e18
"""Beyond it a number is no value; within it views can reckon without overflow."""

_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any = msgspec.json.Decoder()


PropertyStates = Mapping[tuple[int, str], tuple[str, bool]]
"""What the database knows: (tenant, column) to the key it is filled from, and whether it is filled."""

PropertyChanges = Mapping[tuple[int, str], tuple[str, bool] | None]
"""The same for columns that changed; None for a property that is no more."""

Configured = Mapping[int, tuple[CustomProperty, ...]]
"""Custom properties by tenant, as the configuration has them."""


def configured(snapshot: ConfigurationSnapshot) -> Configured:
    """The custom properties of every tenant that has some."""
    tenants = {
        item.tenant for item, _ in snapshot.all_of(BusinessAttribute) if item.name == ATTRIBUTE
    }
    found = {tenant: custom_properties(snapshot, tenant)[0] for tenant in sorted(tenants)}
    return {tenant: properties for tenant, properties in found.items() if properties}


class CustomValues:
    """The custom properties of all tenants: those with a column, and those that views may use.

    A property is written from when its column is there, and usable when every interaction has it.
    """

    def __init__(
        self, wanted: Configured | None = None, states: PropertyStates | None = None
    ) -> None:
        known = states or {}
        self._by_key: dict[int, dict[str, CustomProperty]] = {}
        self._known: dict[int, KnownProperties] = {}
        for tenant, properties in (wanted or {}).items():
            state = {p: known.get((tenant, p.column)) for p in properties}
            stored = {p: s for p, s in state.items() if s is not None and s[0] == p.key}
            self._by_key[tenant] = {p.key: p for p in stored}
            filled = [p for p, (_, is_filled) in stored.items() if is_filled]
            coming = [p for p in properties if p not in filled]
            self._known[tenant] = KnownProperties(filled, coming)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are written, in a fixed order."""
        found = {given.column for given in self._all()}
        return tuple(sorted(found))

    def _all(self) -> Iterable[CustomProperty]:
        return (given for by_key in self._by_key.values() for given in by_key.values())

    def known(self, tenant: int) -> KnownProperties:
        """What the expressions of a tenant may name."""
        return self._known.get(tenant, SYSTEM_PROPERTIES)

    def of(self, tenant: int, user_data: bytes | str) -> Mapping[str, CustomValue] | None:
        """The values in user data by column, None when there are none."""
        by_key = self._by_key.get(tenant)
        if not by_key:
            return None
        keys = _top_level.decode(user_data)
        found = {
            by_key[key].column: value
            for key in by_key.keys() & keys.keys()
            if (value := value_of(keys[key], by_key[key].type)) is not None
        }
        return found or None


def value_of(encoded: msgspec.Raw, kind: PropertyType) -> CustomValue | None:
    """The value of a user data key in its property's type, None when it has none."""
    try:
        given = _any.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    match kind:
        case PropertyType.STRING:
            return _text(given)
        case PropertyType.NUMBER:
            return _number(given)
        case PropertyType.TIMESTAMP:
            return _instant(given)


def _text(given: Any) -> str | None:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return str(given)[:MAX_TEXT]
    return given[:MAX_TEXT] if isinstance(given, str) else None


def _number(given: Any) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        value = float(given)
    except (ValueError, OverflowError):
        return None
    return value if value == 0 or SMALLEST <= abs(value) <= LARGEST else None


def _instant(given: Any) -> int | None:
    """RFC 3339, or the second documented form, in UTC."""
    if not isinstance(given, str):
        return None
    has_offset = given.endswith(("Z", "z")) or "+" in given or "-" in given[10:]
    try:
        return to_millis(given if has_offset else f"{given}Z", field="user_data")
    except (PacelineError, OverflowError):
        return None

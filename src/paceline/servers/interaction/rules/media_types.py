"""What the configuration says of media types: disabled ones, and their own handling-timeout.

Media types are the values of the business attribute `MediaType`; the annex of a value may hold a
section `settings` with `handling-timeout` (minutes) and `enabled` (false: a disabled media type).
"""

from typing import Final

import msgspec

from paceline.model.configuration import BusinessAttribute, OptionValue
from paceline.model.snapshot import ConfigurationSnapshot

MEDIA_TYPES: Final = "MediaType"
"""The documented business attribute."""

SETTINGS: Final = "settings"
"""Annex section of a value, named as the server's own."""

SHORTEST_MIN, LONGEST_MIN = 1, 1440
"""Documented range of handling-timeout, in minutes."""

_NO = frozenset({"false", "no", "0"})


class MediaOptions(msgspec.Struct, frozen=True):
    """Options of one media type; None where it has none of its own."""

    is_enabled: bool = True
    handling_min: int | None = None


def media_options(snapshot: ConfigurationSnapshot) -> dict[tuple[int, str], MediaOptions]:
    """Media types that have options, by tenant and name."""
    return {
        (item.tenant, value): MediaOptions(
            is_enabled=str(settings.get("enabled", True)).strip().lower() not in _NO,
            handling_min=minutes(settings.get("handling-timeout")),
        )
        for item, body in snapshot.all_of(BusinessAttribute)
        if item.name == MEDIA_TYPES
        for value, annex in body.value_options.items()
        for settings in (annex.get(SETTINGS, {}),)
    }


def minutes(value: OptionValue | None) -> int | None:
    """A handling-timeout as somebody wrote it; None when it is none, so that the next level decides."""
    try:
        number = int(value) if value is not None and not isinstance(value, bool) else 0
    except (ValueError, OverflowError):
        return None
    return number if SHORTEST_MIN <= number <= LONGEST_MIN else None

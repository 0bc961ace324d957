"""What erasure leaves of a person's data: the values of the declared filter keys, and nothing else."""

import msgspec

from paceline.model.events import FILTER_KEYS, PERSONAL_FIELDS
from paceline.servers.interaction.rules.event_filter import without_fields
from paceline.wire.operations.event import Event

_KEPT = frozenset(FILTER_KEYS)
_PERSONAL = frozenset(PERSONAL_FIELDS)
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def erased_data(user_data: str) -> str | None:
    """User data after erasure; None when nothing is to be erased."""
    keys = _top_level.decode(user_data)
    if keys.keys() <= _KEPT:
        return None
    return _encode({name: keys[name] for name in keys if name in _KEPT}).decode()


def erased_event(event: Event) -> Event:
    """An event without personal data; itself when it has none."""
    return without_fields(event, _PERSONAL)

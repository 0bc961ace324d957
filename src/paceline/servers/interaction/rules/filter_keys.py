"""The values of filter keys that events carry: texts only, everything else in user data stays private."""

from collections.abc import Mapping

import msgspec

from paceline.model.events import FILTER_KEYS

_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


def filter_values(keys: Mapping[str, msgspec.Raw]) -> dict[str, str]:
    """Values of the filter keys among encoded top-level keys; one that is no text is left out."""
    return {
        name: _text.decode(keys[name])
        for name in FILTER_KEYS  # in their order: an event's bytes are the same in every process
        if name in keys and bytes(keys[name]).lstrip().startswith(b'"')
    }


def filter_values_in(user_data: str) -> dict[str, str]:
    """The same for user data as they are stored."""
    if "P" not in user_data:
        return {}  # every filter key begins with it
    return filter_values(_top_level.decode(user_data))

"""The JSON of an event's own fields; called by the node's state for every event of a batch."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

SMALL_DATA = 2
"""Most fields of data that are encoded once: media type and party."""

_SMALL_KEYS = frozenset(("media_type", "party"))
_NO_DATA = msgspec.Raw(b"{}")
_encode = msgspec.json.Encoder().encode


def encoded(fields: Mapping[str, object] | None) -> msgspec.Raw:
    """The JSON of an event's data; the few small forms that repeat all day are encoded once."""
    if not fields:
        return _NO_DATA
    if len(fields) <= SMALL_DATA and fields.keys() <= _SMALL_KEYS:
        return _small(tuple(fields.items()))
    return msgspec.Raw(_encode(fields))


@lru_cache(maxsize=256)
def _small(items: tuple[tuple[str, object], ...]) -> msgspec.Raw:
    return msgspec.Raw(_encode(dict(items)))

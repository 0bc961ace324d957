"""Fills `${new-secret}` of a configuration file: a fresh secret at first, the stored one ever after.

Called before a file is applied, by all_in_one.py and `paceline config apply`; so that an example
can name a secret without holding one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from paceline.runtime.secret import new_secret
from paceline.sdk import ConfigurationServerClient
from paceline.sdk.listing import listed
from paceline.wire.operations.configuration import Change

PLACEHOLDER = "${new-secret}"
KEPT = "***"
"""What the Configuration Server shows for a stored secret, and takes for keeping it."""


async def with_new_secrets(
    client: ConfigurationServerClient, changes: Sequence[Change]
) -> tuple[Change, ...]:
    """The changes with every placeholder filled; who asks sees stored secrets as `***` only."""
    types = {change.type for change in changes if _asks(change)}
    stored: dict[tuple[str, int, str], msgspec.Raw] = {}
    for object_type in types:
        async for item in listed(client, object_type):
            stored[item.type, item.tenant, item.name] = item.body
    return tuple(
        _filled(change, stored.get((change.type, change.tenant, change.name)))
        if _asks(change)
        else change
        for change in changes
    )


def _asks(change: Change) -> bool:
    return PLACEHOLDER.encode() in bytes(change.body)


def _filled(change: Change, stored: msgspec.Raw | None) -> Change:
    known = {} if stored is None else msgspec.json.decode(stored)
    body = _walk(msgspec.json.decode(change.body), known, lambda: new_secret().reveal())
    return msgspec.structs.replace(change, body=msgspec.Raw(msgspec.json.encode(body)))


def _walk(value: Any, known: Any, make: Callable[[], str]) -> Any:
    if isinstance(value, dict):
        inner = known if isinstance(known, dict) else {}
        return {key: _walk(part, inner.get(key), make) for key, part in value.items()}
    if value != PLACEHOLDER:
        return value
    return KEPT if known else make()

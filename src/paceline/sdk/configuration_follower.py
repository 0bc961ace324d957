"""Follows the Configuration Server: an immutable snapshot that is replaced with every change.

Every server reads its configuration through a `ConfigurationSource`; tests give a fixed one.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from paceline.model.configuration import BODY_TYPES, ConfigurationObject, decode_body
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.log import get_log
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.wire.operations.configuration import (
    ChangeRecord,
    ChangesNotice,
    ObjectRecord,
    StreamChanges,
)

Listener = Callable[[ConfigurationSnapshot, ConfigurationSnapshot], None]
PAGE = 1000

_log = get_log("sdk.configuration")


class ConfigurationSource(Protocol):
    """Where a server reads its configuration."""

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration now."""

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each change."""


def object_of(record: ObjectRecord) -> ConfigurationObject:
    """The typed object of a record."""
    return ConfigurationObject(
        type=record.type,
        id=record.id,
        tenant=record.tenant,
        name=record.name,
        version=record.version,
        body=decode_body(record.type, record.body),
    )


class ConfigurationFollower:
    """A `ConfigurationSource` fed by the Configuration Server; goes on with the last one while it is away."""

    def __init__(self, client: ConfigurationServerClient) -> None:
        self._client = client
        self._snapshot = ConfigurationSnapshot(())
        self._listeners: list[Listener] = []
        self._first = asyncio.Event()

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration as last heard."""
        return self._snapshot

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each change."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Loads everything, then follows the changes from there; returns when the snapshot is whole.

        Raises
        ------
        PacelineError
            When the Configuration Server cannot be reached or refuses.
        """
        objects: list[ConfigurationObject] = []
        seq: int | None = None
        for object_type in BODY_TYPES:
            continuation: str | None = None
            while True:
                page = await self._client.object.list(
                    type=object_type, limit=PAGE, continuation=continuation
                )
                objects += [object_of(record) for record in page.items]
                seq = page.seq if seq is None else min(seq, page.seq)
                continuation = page.continuation
                if continuation is None:
                    break
        self._snapshot = ConfigurationSnapshot(objects, seq=seq or 0)
        self._client.configuration.subscribe(
            lambda: StreamChanges(after=self._snapshot.seq), self._take
        )

    def _take(self, notice: ChangesNotice) -> None:
        news = [record for record in notice.items if record.type in BODY_TYPES]
        changed = {key_of(r): r.object for r in news if r.object is not None}
        deleted = [key_of(record) for record in news if record.object is None]
        for key in deleted:
            changed.pop(key, None)
        objects = [item for record in changed.values() if (item := _readable(record)) is not None]
        old = self._snapshot
        self._snapshot = old.with_changes(objects, deleted, seq=notice.seq)
        for listener in self._listeners:
            listener(old, self._snapshot)


def _readable(record: ObjectRecord) -> ConfigurationObject | None:
    """The typed object; None, said in the log, when this version cannot read it."""
    try:
        return object_of(record)
    except msgspec.ValidationError as error:
        _log.error(
            "a changed object cannot be read: the old one stays",
            type=record.type,
            name=record.name,
            problem=str(error),
        )
        return None


def key_of(record: ChangeRecord) -> tuple[str, int]:
    """Type and id of the changed object."""
    return record.type, record.id

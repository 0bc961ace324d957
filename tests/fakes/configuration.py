"""A configuration source that is told what the configuration is."""

import msgspec

from paceline.model.configuration import Body, ConfigurationObject
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.sdk.configuration_follower import Listener


class FixedConfiguration:
    """A `ConfigurationSource` whose snapshot changes only when a test says so."""

    def __init__(self, snapshot: ConfigurationSnapshot) -> None:
        self.snapshot = snapshot
        self._listeners: list[Listener] = []

    def watch(self, listener: Listener) -> None:
        """Calls `listener` at each `change`."""
        self._listeners.append(listener)

    def change(self, snapshot: ConfigurationSnapshot) -> None:
        """Replaces the snapshot."""
        old, self.snapshot = self.snapshot, snapshot
        for listener in self._listeners:
            listener(old, snapshot)


class SnapshotBuilder:
    """Builds a snapshot object by object; ids count from 1."""

    def __init__(self, tenant: int = 1) -> None:
        self._tenant = tenant
        self._objects: list[ConfigurationObject] = []

    def add(self, object_type: str, name: str, body: Body) -> int:
        """Adds an object; returns its id."""
        item = ConfigurationObject(
            type=object_type, id=len(self._objects) + 1, tenant=self._tenant, name=name, body=body
        )
        self._objects.append(item)
        return item.id

    def replace(self, object_id: int, **changes: object) -> None:
        """Changes fields of an object's body."""
        old = self._objects[object_id - 1]
        body = msgspec.structs.replace(old.body, **changes)
        self._objects[object_id - 1] = msgspec.structs.replace(
            old, body=body, version=old.version + 1
        )

    def build(self) -> ConfigurationSnapshot:
        """The snapshot of what was added so far."""
        return ConfigurationSnapshot(self._objects, seq=len(self._objects))

"""The properties of an interaction that conditions and orders may name, with their columns.

Read by the parser (names), the predicate (attribute to read) and storage (column). Documented
names are found in any case, with or without underscores: `ReceivedAt`, `received_at`. Custom
properties are found by their key, whose case counts, or by the name they are translated to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from paceline.model.custom_properties import CustomProperty, PropertyType

Referred = Literal["queue", "virtual_queue", "agent", "place", "workbin"]


class Kind(StrEnum):
    """What a property or a value is; only values of one kind compare."""

    TEXT = "text"
    INTEGER = "whole number"
    BOOLEAN = "truth value"
    INSTANT = "instant"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its documented name or its key, the column and attribute that hold it.

    A property of kind NAME is written by the object's name and stored as its id; `refers_to` says
    whose. `is_nullable` is false where every interaction has a value.
    """

    name: str
    column: str
    kind: Kind
    is_nullable: bool = False
    refers_to: Referred | None = None


PROPERTIES: Final = (
    Property("InteractionId", "interaction_id", Kind.TEXT),
    Property("InteractionState", "state", Kind.INTEGER),
    Property("MediaType", "media_type", Kind.TEXT),
    Property("InteractionType", "interaction_type", Kind.TEXT),
    Property("InteractionSubtype", "interaction_subtype", Kind.TEXT),
    Property("Priority", "priority", Kind.INTEGER),
    Property("ExternalId", "external_id", Kind.TEXT, is_nullable=True),
    Property("ParentInteractionId", "parent_id", Kind.TEXT, is_nullable=True),
    Property("SubmittedBy", "submitted_by", Kind.TEXT, is_nullable=True),
    Property("SubmitSeq", "submit_seq", Kind.INTEGER),
    Property("PlaceInQueueSeq", "queue_seq", Kind.INTEGER),
    Property("IsOnline", "is_online", Kind.BOOLEAN),
    Property("IsLocked", "is_locked", Kind.BOOLEAN),
    Property("IsHeld", "is_held", Kind.BOOLEAN),
    Property("ReceivedAt", "received_at", Kind.INSTANT),
    Property("SubmittedAt", "submitted_at", Kind.INSTANT),
    Property("PlacedInQueueAt", "queued_at", Kind.INSTANT),
    Property("AssignedAt", "assigned_at", Kind.INSTANT, is_nullable=True),
    Property("DeliveredAt", "delivered_at", Kind.INSTANT, is_nullable=True),
    Property("AbandonedAt", "abandoned_at", Kind.INSTANT, is_nullable=True),
    Property("ScheduledAt", "scheduled_at", Kind.INSTANT, is_nullable=True),
    Property("VirtualQueueAt", "virtual_queue_at", Kind.INSTANT, is_nullable=True),
    Property("Queue", "queue_id", Kind.NAME, is_nullable=True, refers_to="queue"),
    Property(
        "VirtualQueue", "virtual_queue_id", Kind.NAME, is_nullable=True, refers_to="virtual_queue"
    ),
    Property("AgentId", "agent_id", Kind.NAME, is_nullable=True, refers_to="agent"),
    Property("PlaceId", "place_id", Kind.NAME, is_nullable=True, refers_to="place"),
    Property("Workbin", "workbin_id", Kind.NAME, is_nullable=True, refers_to="workbin"),
)
"""Documented names (interaction-server.md, Properties) and the columns of `interactions`."""


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


_BY_NAME: Final = {
    **{_folded(found.column): found for found in PROPERTIES},
    **{_folded(found.name): found for found in PROPERTIES},
}

_KINDS: Final = {
    PropertyType.STRING: Kind.TEXT,
    PropertyType.NUMBER: Kind.NUMBER,
    PropertyType.TIMESTAMP: Kind.INSTANT,
}


def property_named(name: str) -> Property | None:
    """The system property of this name, whatever its case and underscores; None for no such."""
    return _BY_NAME.get(_folded(name))


class KnownProperties:
    """The names that the expressions of one tenant may use: system properties, then its custom ones.

    Parameters
    ----------
    coming
        Custom properties that are being added to the database and cannot be used yet.
    """

    def __init__(
        self, custom: Iterable[CustomProperty] = (), coming: Iterable[CustomProperty] = ()
    ) -> None:
        self._given = (tuple(custom), tuple(coming))
        custom, coming = self._given
        self.coming = {name for given in coming for name in (given.key, given.name)}
        self._custom: dict[str, Property] = {}
        self.names = [known.name for known in PROPERTIES]
        for given in custom:
            found = Property(given.key, given.column, _KINDS[given.type], is_nullable=True)
            self._custom.setdefault(given.key, found)
            self._custom.setdefault(given.name, found)
            self.names.append(given.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KnownProperties) and self._given == other._given

    def __hash__(self) -> int:
        return hash(self._given)

    def named(self, name: str) -> Property | None:
        """The property of this name, None when there is none."""
        return property_named(name) or self._custom.get(name)


SYSTEM_PROPERTIES: Final = KnownProperties()
"""What every tenant knows."""

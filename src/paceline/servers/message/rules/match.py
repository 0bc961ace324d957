"""Which alarms a message raises and which it clears.

Called by live/writer.py, message by message, with the alarms that stand at that moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from paceline.model.configuration import AlarmCondition, Application
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.wire.operations.message import LogMessage

AlarmKey = tuple[int, int, str, str]
"""Tenant, condition, application's key, subject: at most one active alarm each."""

Event = tuple[int, int]
"""Tenant and message number."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An enabled alarm condition of a tenant."""

    id: int
    name: str
    body: AlarmCondition


@dataclass(frozen=True, slots=True)
class ActiveAlarm:
    """An alarm that stands; `expires_at` is its clearance timeout as a business instant."""

    id: int
    key: AlarmKey
    condition: str
    category: str
    application: str
    text: str
    detected_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Match:
    """What a message does: conditions to raise, keys of active alarms to clear."""

    raises: tuple[tuple[Condition, AlarmKey], ...] = ()
    clears: tuple[AlarmKey, ...] = ()


class Conditions:
    """The enabled alarm conditions of a snapshot, by the numbers that concern them."""

    def __init__(self, snapshot: ConfigurationSnapshot) -> None:
        self._detects: dict[Event, list[Condition]] = {}
        self._cancels: dict[Event, list[Condition]] = {}
        self._applications = {item.name: item.id for item, _ in snapshot.all_of(Application)}
        for item, body in snapshot.all_of(AlarmCondition):
            if body.state != "enabled":
                continue
            condition = Condition(item.id, item.name, body)
            self._detects.setdefault((item.tenant, body.detect_event), []).append(condition)
            if body.cancel_event is not None:
                self._cancels.setdefault((item.tenant, body.cancel_event), []).append(condition)

    def application_key(self, name: str) -> str:
        """The application's id, so that a rename orphans no alarm; of an unknown one its name."""
        found = self._applications.get(name)
        return name if found is None else f"#{found}"

    def match(
        self, tenant: int, message: LogMessage, active: Mapping[AlarmKey, ActiveAlarm]
    ) -> Match:
        """What the message does to the alarms that stand; nearly always nothing."""
        detects = self._detects.get((tenant, message.number), ())
        cancels = self._cancels.get((tenant, message.number), ())
        if not detects and not cancels:
            return Match()
        where = (self.application_key(message.application), message.subject)
        raised = [(found, (tenant, found.id, *where)) for found in detects]
        cleared = [(tenant, found.id, *where) for found in cancels]
        return Match(
            raises=tuple((found, key) for found, key in raised if key not in active),
            clears=tuple(key for key in cleared if key in active),
        )

"""Made-up events and requests for the invariants."""

from typing import Any

import msgspec

from paceline.model import events
from paceline.model.instant import to_text
from paceline.simulator.whole.history import History
from paceline.wire.operation import Operation
from paceline.wire.operations import engagement, interaction
from paceline.wire.operations.event import Event

AT = to_text(1_000_000_000_000)
ALL = {**interaction.OPERATIONS, **engagement.OPERATIONS}


class Story:
    """Events numbered as they come."""

    def __init__(self) -> None:
        self.last = 0

    def event(self, name: str, key: str | None = "i1", **fields: Any) -> Event:
        """The next event; what is no field of an event goes into its data."""
        self.last += 1
        own = {name: fields.pop(name) for name in ("agent", "place", "queue") if name in fields}
        data = msgspec.Raw(msgspec.json.encode({"media_type": "chat", **fields}))
        return Event(
            position=f"1.{self.last}",
            node=1,
            event_id=self.last,
            name=name,
            at=AT,
            tenant=1,
            actor="test",
            interaction_id=key,
            data=data,
            **own,
        )

    def submitted(self, key: str, *, priority: int = 0, received: int = 0) -> Event:
        """A submission into the queue Chats."""
        return self.event(
            events.INTERACTION_SUBMITTED,
            key,
            queue="Chats",
            priority=priority,
            received_at=to_text(received),
            submit_seq=self.last + 1,
        )


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(history: History, clock: Clock, name: str, request: Any, *, took_s: float = 0.01) -> Any:
    """A request that was sent now and is under way still `took_s` later."""
    operation: Operation = ALL[name]
    begun = history.begin("client", operation, request, None)
    clock.now += took_s
    return begun

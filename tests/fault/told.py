"""What the event log alone tells of every interaction, judged event by event."""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from paceline.model import events as names
from paceline.wire.operations.event import Event

Order = tuple[int, str, int]
"""The default order of views: priority downwards, received, submitted."""


@dataclass
class Told:
    """One interaction; `parties` are the agents who handle it, `bin` the owner of its workbin."""

    queue: str
    order: Order
    state: str = "queued"
    parties: list[str] = field(default_factory=list)
    bin: str | None = None
    is_held: bool = False


class Replay:
    """State after the events taken so far.

    Parameters
    ----------
    ordered
        The queue from which interactions are only taken in the default order of its one view: nothing
        in it is held, locked, or came from elsewhere.
    """

    def __init__(self, ordered: str) -> None:
        self.items: dict[str, Told] = {}
        self.taken: Counter[str] = Counter()
        self.last_event_id = 0
        self._ordered = ordered
        self._waiting: list[tuple[Order, str]] = []

    def take(self, event: Event) -> None:
        """The next event; it must be possible after those before it."""
        assert event.event_id == self.last_event_id + 1, f"{event.event_id} is out of turn"
        self.last_event_id = event.event_id
        key = event.interaction_id
        if key is None:
            return
        data = msgspec.json.decode(event.data)
        if event.name == names.INTERACTION_SUBMITTED:
            assert key not in self.items, f"{key} was submitted before"
            order = (-data["priority"], data["received_at"], data["submit_seq"])
            self.items[key] = Told(event.queue or "", order)
            self._wait(key)
        else:
            assert self.items[key].state != "stopped", f"{event} comes after the end"
            self._change(key, event, data)

    def _change(self, key: str, event: Event, data: dict[str, Any]) -> None:
        told = self.items[key]
        is_agent = data.get("party") == "agent"
        match event.name:
            case names.TAKEN_FROM_QUEUE:
                assert told.state == "queued", f"{event} takes what is {told.state}"
                self._take_first(key, told)
                self.taken[key] += 1
                told.state = "taken"
            case names.PLACED_IN_QUEUE:
                assert not told.parties, f"{event} while {told.parties} have it"
                self._leave(key)
                told.state, told.queue = "queued", event.queue or ""
                self._wait(key)
            case names.PARTY_ADDED:
                told.state = "handling" if is_agent else "routing"
                told.parties += [event.agent or ""] * is_agent
            case names.PARTY_REMOVED if is_agent:
                told.parties.remove(event.agent or "")
            case names.PLACED_IN_WORKBIN:
                told.bin = data["owner"]
            case names.TAKEN_FROM_WORKBIN:
                told.bin = None
            case names.HELD | names.RESUMED:
                told.is_held = event.name == names.HELD
            case names.PROCESSING_STOPPED:
                self._leave(key)
                told.state = "stopped"

    def _wait(self, key: str) -> None:
        told = self.items[key]
        if told.queue == self._ordered:
            insort(self._waiting, (told.order, key))

    def _take_first(self, key: str, told: Told) -> None:
        if told.queue == self._ordered:
            assert self._waiting[0][1] == key, f"{key} is taken before {self._waiting[0][1]}"
            del self._waiting[0]

    def _leave(self, key: str) -> None:
        told = self.items[key]
        if told.queue == self._ordered and told.state == "queued":
            del self._waiting[bisect_left(self._waiting, (told.order, key))]

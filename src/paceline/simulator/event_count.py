"""Counts of the event log, read page by page up to a position. Used by summary.py at the end of a run.

What the log says is the truth that the Stat Server's own count is compared with.
"""

from collections.abc import Mapping

import msgspec

from paceline.model import events
from paceline.sdk import InteractionServerClient
from paceline.wire.operations.event import Event

PAGE = 1000
"""INTERFACES (lists): the longest page."""


class _Data(msgspec.Struct, frozen=True):
    keys: dict[str, object] = {}
    was_handled: bool = msgspec.field(default=False, name="is_handled")


_decoder = msgspec.json.Decoder(_Data)
_COUNTED = frozenset({events.INTERACTION_SUBMITTED, events.PROCESSING_STOPPED, events.ABANDONED})


class EventCount:
    """Events of a log from its beginning, and what they tell about interactions.

    Parameters
    ----------
    since
        RFC 3339 instant of business time from which reactive customers are counted.
    """

    def __init__(self, since: str) -> None:
        self._since = since
        self._position: str | None = None
        self._proactive: set[str] = set()
        self.last_ids: dict[int, int] = {}
        self.events = 0
        self.submitted = 0
        self.stopped = 0
        self.reactive_arrived = 0
        self.reactive_abandoned = 0

    @property
    def in_system(self) -> int:
        """Interactions that are submitted and not stopped."""
        return self.submitted - self.stopped

    async def read(
        self, client: InteractionServerClient, until: Mapping[int, int] | None = None
    ) -> None:
        """Reads on to the end of the log, or to the last event id of each node in `until`.

        Raises
        ------
        PacelineError
            When the Interaction Server does not answer; it may be read on later.
        """
        while until is None or any(self.last_ids.get(n, 0) < last for n, last in until.items()):
            page = await client.event.read(after=self._position, limit=PAGE)
            for event in page.items:
                if until is not None and event.event_id > until.get(event.node, 0):
                    return
                self._take(event)
                self._position = event.position
            if page.complete:
                return

    def _take(self, event: Event) -> None:
        self.events += 1
        self.last_ids[event.node] = event.event_id
        if event.name not in _COUNTED or event.interaction_id is None:
            return
        data = _decoder.decode(event.data)
        if event.name == events.INTERACTION_SUBMITTED:
            self._submitted(event.interaction_id, data, event.at)
        elif event.name == events.PROCESSING_STOPPED:
            self.stopped += 1
            self._proactive.discard(event.interaction_id)
        elif self._is_reactive(event.interaction_id, event.at) and not data.was_handled:
            self.reactive_abandoned += 1

    def _submitted(self, interaction_id: str, data: _Data, at: str) -> None:
        self.submitted += 1
        if data.keys.get("Proactive") == "1":
            self._proactive.add(interaction_id)
        elif at >= self._since:
            self.reactive_arrived += 1

    def _is_reactive(self, interaction_id: str, at: str) -> bool:
        return at >= self._since and interaction_id not in self._proactive

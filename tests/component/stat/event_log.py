"""An interaction server as its reporting readers see it: a log of events, read and streamed."""

from collections.abc import Callable
from typing import Any

from paceline.runtime.times import Times
from paceline.sdk.interaction import InteractionServerClient
from paceline.wire.call import Call
from paceline.wire.operations.event import (
    Event,
    EventNotice,
    EventPage,
    ReadEvents,
    StreamEvents,
    Subscribed,
)
from tests.fakes.served import Served
from tests.unit.stat.story import Story


class EventLog:
    """Events by position behind the real session code. `publish` shows what the story told since."""

    def __init__(self, times: Times, story: Story | None = None) -> None:
        self.story = story or Story()
        self.shown = 0
        self.page = 4
        self._readers: dict[int, Callable[[EventNotice], None]] = {}
        self.served = Served(
            "interaction", {"event.read": self._read, "event.stream": self._stream}, times
        )

    async def client(self) -> InteractionServerClient:
        """A connected client, as assembly gives it to a reporting server."""
        return InteractionServerClient(await self.served.connect("stat", "reporting"))

    async def cut(self) -> None:
        """The links break; clients connect again by themselves."""
        for link in self.served.links:
            await link.close()

    def publish(self) -> None:
        """Commit what the story told since the last call."""
        fresh = tuple(self.story.events[self.shown :])
        self.shown = len(self.story.events)
        if fresh:
            for send in tuple(self._readers.values()):
                send(EventNotice(items=fresh, position=fresh[-1].position))

    async def _read(self, call: Call, request: ReadEvents) -> EventPage:
        begin = _place(request.after)
        items = self._between(begin, begin + min(request.limit, self.page))
        end = begin + len(items)
        return EventPage(items=items, position=f"p{end}", complete=end == self.shown)

    async def _stream(self, call: Call, request: StreamEvents) -> Subscribed:
        peer = call.needs_peer("event.stream")
        begin = _place(request.after)

        def send(notice: EventNotice) -> None:
            peer.notify("event.stream", notice, subscription=number)

        number: Any = peer.open_subscription(lambda: self._readers.pop(number, None))
        self._readers[number] = send
        return Subscribed(subscription=number, position=f"p{begin}")

    def _between(self, begin: int, end: int) -> tuple[Event, ...]:
        return tuple(self.story.events[begin : min(end, self.shown)])


def _place(position: str | None) -> int:
    return int(position[1:]) if position else 0

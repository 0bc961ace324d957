"""Follows the reporting stream of one Interaction Server from the stored position.

Started by the server once per source. The stream brings events as they are committed; after each
connection the backlog is also read until nothing is left, which tells when the source is live.
Both may bring the same events: the centre takes each once.
"""

from collections.abc import Callable
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.connection import Subscription
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.stat.live.centre import Centre
from paceline.wire.operations.event import Event, EventNotice, StreamEvents

PAGE: Final = 1000
"""Events per page of the backlog; chosen: some 300 KB."""

PAUSE_S: Final = 0.2
"""Machine seconds before a failed page is asked for again (chosen)."""

_log = get_log("stat")


class FollowEvents:
    """The following of one source.

    Parameters
    ----------
    source
        Name of the Interaction Server application, under which the position is kept.
    on_events
        Called after every batch with the number of new events.
    on_change
        Called when the source becomes live or lags.
    """

    def __init__(
        self,
        *,
        source: str,
        client: InteractionServerClient,
        centre: Centre,
        times: Times,
        on_events: Callable[[int], None],
        on_change: Callable[[], None],
    ) -> None:
        self._source = source
        self._client = client
        self._centre = centre
        self._times = times
        self._on_events = on_events
        self._on_change = on_change
        self._connections = 0
        self._is_stopped = False
        self._tasks: TaskGroup | None = None
        self._stream: Subscription[EventNotice] | None = None

    def start(self, tasks: TaskGroup) -> None:
        """Follow from now on, over reconnections, until `stop`."""
        self._tasks = tasks
        self._client.connection.watch_connection(self._connected)
        self._stream = self._client.event.subscribe(
            lambda: StreamEvents(after=self._position), self._notice
        )
        if self._client.connection.is_connected:
            self._connected(True)

    def stop(self) -> None:
        """Take no more events; twice is fine."""
        self._is_stopped = True
        if self._stream is not None:
            self._stream.close()

    @property
    def _position(self) -> str | None:
        return self._centre.positions.of_source.get(self._source)

    def _notice(self, notice: EventNotice) -> None:
        self._take(notice.items, notice.position)

    def _take(self, events: tuple[Event, ...], position: str) -> None:
        if not self._is_stopped:
            self._on_events(self._centre.take(self._source, events, position))

    def _connected(self, is_connected: bool) -> None:
        if self._is_stopped or self._tasks is None:
            return
        self._connections += 1
        self._set_lagging(True)
        if is_connected:
            self._tasks.start(f"catch up with {self._source}", self._catch_up(self._connections))

    async def _catch_up(self, connection: int) -> None:
        """Read what is older than this connection, then say that the source is live."""
        while connection == self._connections and not self._is_stopped:
            try:
                page = await self._client.event.read(after=self._position, limit=PAGE)
            except PacelineError as error:
                _log.warning("events cannot be read", source=self._source, problem=str(error))
                await self._times.machine.sleep(PAUSE_S)
                continue
            self._take(page.items, page.position)
            if page.complete and connection == self._connections:
                self._set_lagging(False)
                return

    def _set_lagging(self, is_lagging: bool) -> None:
        lagging = self._centre.positions.lagging
        if is_lagging != (self._source in lagging):
            lagging.symmetric_difference_update({self._source})
            self._on_change()

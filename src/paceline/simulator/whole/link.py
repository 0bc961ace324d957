"""A link between two simulated processes: two directions, each with its order, delay and bounded buffer.

Opened by network.py; the ends are what sessions read and write (`wire.link.Link`).
"""

import asyncio
from collections import deque
from collections.abc import Callable

from paceline.simulator.whole.loop import WORLD

BUFFER_BYTES = 512 * 1024
"""What may be on its way or unread before a sender waits: usual socket buffers of both ends (chosen)."""


class Direction:
    """One way of a connection. An end of file is carried as None and stays the last.

    Parameters
    ----------
    delay_s
        Draws how long a frame takes; later frames never arrive before earlier ones.
    """

    def __init__(self, delay_s: Callable[[], float], *, is_blocked: bool) -> None:
        self.has_ended = False
        self.on_end: Callable[[], None] = _nothing
        self._delay_s = delay_s
        self._is_blocked = is_blocked
        self._on_way: deque[bytes | None] = deque()
        self._held_count = 0
        self._inbox: deque[bytes] = deque()
        self._size = 0
        self._last_at = 0.0
        self._reset_count = 0
        self._reader: asyncio.Future[None] | None = None
        self._writers: deque[asyncio.Future[None]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether a sender has to wait."""
        return self._size >= BUFFER_BYTES

    def carry(self, frame: bytes | None) -> None:
        """Put a frame on its way."""
        self._size += 0 if frame is None else len(frame)
        self._on_way.append(frame)
        self._set_out()

    async def wait_for_room(self) -> None:
        """Return when something was taken out, or the connection's end makes it pointless."""
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writers.append(room)
        await room

    async def wait_for_frame(self) -> None:
        """Return when something has arrived, or the reader was told to look again."""
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader

    def take(self) -> bytes | None:
        """The oldest frame that has arrived and was not taken; None without any."""
        if not self._inbox:
            return None
        frame = self._inbox.popleft()
        self._size -= len(frame)
        if self._writers:
            self.wake_writers()
        return frame

    def block(self) -> None:
        """Nothing arrives from now on; it waits, as segments that are sent again and again."""
        self._is_blocked = True

    def unblock(self) -> None:
        """What waited sets out again, in its order and before what was sent after it."""
        self._is_blocked = False
        held, self._held_count = self._held_count, 0
        for _ in range(held):
            self._set_out()

    def reset(self) -> None:
        """What is on its way is lost, and the reader learns of the end."""
        self._reset_count += 1
        self._on_way.clear()
        self._held_count = 0
        self._is_blocked = False
        self._on_way.append(None)
        self._set_out()

    def wake_reader(self) -> None:
        """Make a waiting reader look again."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def wake_writers(self) -> None:
        """Make waiting senders look again."""
        writers, self._writers = self._writers, deque()
        for room in writers:
            if not room.done():
                room.set_result(None)

    def _set_out(self) -> None:
        """One more frame will arrive: the oldest then on its way, whichever it was that set out now."""
        loop = asyncio.get_running_loop()
        self._last_at = max(self._last_at, loop.time() + self._delay_s())
        loop.call_at(self._last_at, self._arrive, self._reset_count, context=WORLD)

    def _arrive(self, reset_count: int) -> None:
        if reset_count != self._reset_count or self.has_ended:
            return
        if self._is_blocked:
            self._held_count += 1
            return
        frame = self._on_way.popleft()
        if frame is None:
            self.has_ended = True
            self.on_end()
        else:
            self._inbox.append(frame)
        self.wake_reader()


def _nothing() -> None:
    """Until an end listens."""


class SimulatedLink:
    """One end; see `wire.link.Link`."""

    def __init__(self, outward: Direction, inward: Direction, on_close: Callable[[], None]) -> None:
        self._outward = outward
        self._inward = inward
        self._on_close = on_close
        self._is_closed = False
        inward.on_end = outward.wake_writers

    async def receive(self) -> bytes | None:
        """The next frame; None when the link is closed."""
        while not self._is_closed:
            frame = self._inward.take()
            if frame is not None:
                return frame
            if self._inward.has_ended:
                return None
            await self._inward.wait_for_frame()
        return None

    async def send(self, frame: bytes) -> None:
        """Sends a frame; waits while buffers are full; ConnectionError when the link is closed."""
        while self._outward.is_full and not self._is_over:
            await self._outward.wait_for_room()
        if self._is_over:
            raise ConnectionError("the link is closed")
        self._outward.carry(frame)

    async def close(self) -> None:
        """Closes both ends; twice is fine."""
        self.drop()

    def drop(self) -> None:
        """Close it here and now; the other end learns of it when the network lets it."""
        if self._is_closed:
            return
        self._is_closed = True
        self._outward.carry(None)
        self._outward.wake_writers()
        self._inward.wake_reader()
        self._on_close()

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._inward.has_ended

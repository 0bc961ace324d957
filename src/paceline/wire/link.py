"""A link carries frames between two ends: over a WebSocket, or in memory for tests and simulation."""

from typing import Protocol

from paceline.runtime.queues import BoundedQueue


class Link(Protocol):
    """One end of a connection. Both ends may close; a closed link receives None."""

    async def receive(self) -> bytes | None:
        """The next frame; None when the link is closed."""

    async def send(self, frame: bytes) -> None:
        """Sends a frame; waits while the other end is slow.

        Raises
        ------
        ConnectionError
            When the link is closed.
        """

    async def close(self) -> None:
        """Closes both ends; twice is fine."""


class MemoryLink:
    """One end of a pair in memory; holds at most `LIMIT` frames on their way."""

    LIMIT = 256

    def __init__(self) -> None:
        self._inbox: BoundedQueue[bytes | None] = BoundedQueue("memory link", self.LIMIT)
        self._peer: MemoryLink | None = None
        self._is_closed = False

    @classmethod
    def pair(cls) -> "tuple[MemoryLink, MemoryLink]":
        """Two connected ends."""
        left, right = cls(), cls()
        left._peer, right._peer = right, left
        return left, right

    async def receive(self) -> bytes | None:
        """The next frame; None when the link is closed."""
        if self._is_closed and not len(self._inbox):
            return None
        frame = await self._inbox.take()
        if frame is None:
            self._is_closed = True
        return frame

    async def send(self, frame: bytes) -> None:
        """Sends a frame; raises ConnectionError when the link is closed."""
        if self._is_closed or self._peer is None or self._peer._is_closed:
            raise ConnectionError("the link is closed")
        await self._peer._inbox.put(frame)

    async def close(self) -> None:
        """Closes both ends."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._peer is not None and not self._peer._is_closed:
            await self._peer._inbox.put(None)
        await self._inbox.put(None)

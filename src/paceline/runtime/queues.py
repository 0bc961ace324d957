"""A bounded queue between tasks; each putter says what happens when it is full.

Used wherever work is handed from one task to another; there is no unbounded queue in the project.
"""

import asyncio
from typing import Generic, TypeVar

from paceline.errors.failure import PacelineError

T = TypeVar("T")

RETRY_AFTER_S = 1.0
"""Chosen: a queue that is full now is most likely shorter a second later."""


class BoundedQueue(Generic[T]):
    """First in, first out, never longer than its limit."""

    def __init__(self, name: str, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"queue {name}: the limit is {limit}; it must be at least 1")
        self._name = name
        self._queue: asyncio.Queue[T] = asyncio.Queue(limit)

    def __len__(self) -> int:
        return self._queue.qsize()

    def offer(self, item: T) -> None:
        """Put it in at once or not at all.

        Raises
        ------
        PacelineError
            `overloaded` when the queue is full; nothing happened, it may be repeated.
        """
        if self._queue.full():
            raise PacelineError(
                "overloaded",
                f"{self._name} is full with {len(self)} entries; try again later",
                retry_after_s=RETRY_AFTER_S,
            )
        self._queue.put_nowait(item)

    async def put(self, item: T) -> None:
        """Put it in, waiting while the queue is full."""
        await self._queue.put(item)

    async def take(self) -> T:
        """The oldest entry, waiting while there is none."""
        return await self._queue.get()

    async def take_all(self, limit: int) -> list[T]:
        """All entries up to so many, oldest first, waiting while there is none."""
        taken = [await self._queue.get()]
        while len(taken) < limit and not self._queue.empty():
            taken.append(self._queue.get_nowait())
        return taken

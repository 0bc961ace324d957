"""Bounded queues: refuse or wait when full, order kept."""

import asyncio

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.queues import BoundedQueue
from paceline.runtime.virtual_loop import run_virtual


def test_an_offer_to_a_full_queue_is_refused_as_overloaded() -> None:
    """The refused entry is not in the queue; the error says not done and when to come again."""
    queue = BoundedQueue[int]("admission", 2)
    queue.offer(1)
    queue.offer(2)
    with pytest.raises(PacelineError, match="admission is full") as refusal:
        queue.offer(3)
    assert (refusal.value.name, refusal.value.outcome) == ("overloaded", "not_done")
    assert refusal.value.retry_after_s == 1.0
    assert len(queue) == 2


def test_a_put_waits_for_room_and_order_is_kept() -> None:
    """Whoever puts into a full queue goes on when an entry is taken; first in is first out."""

    async def main() -> tuple[float, list[int]]:
        queue = BoundedQueue[int]("lane", 2)
        taken = list[int]()

        async def take() -> None:
            await asyncio.sleep(5)
            while len(taken) < 4:
                taken.extend(await queue.take_all(2))

        taking = asyncio.create_task(take())
        for number in range(4):
            await queue.put(number)
        waited = asyncio.get_running_loop().time()
        await taking
        return waited, taken

    assert run_virtual(main()) == (5.0, [0, 1, 2, 3])


def test_take_waits_for_an_entry() -> None:
    """Taking from an empty queue waits."""

    async def main() -> str:
        queue = BoundedQueue[str]("lane", 1)
        asyncio.get_running_loop().call_later(2, queue.offer, "x")
        return await queue.take()

    assert run_virtual(main()) == "x"


def test_a_queue_without_room_is_refused() -> None:
    """A limit below one would be no queue, or one without bound."""
    with pytest.raises(ValueError, match="at least 1"):
        BoundedQueue[int]("lane", 0)

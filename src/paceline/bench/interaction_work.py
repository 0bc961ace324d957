"""Pieces of work of the interaction path, and how fast so many callers do them.

Used by interactions.py, on the clients of a `Load`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from paceline.assembly.measured_node import QUEUE, VIEW
from paceline.bench.fill import USER_DATA
from paceline.runtime.ids import request_id
from paceline.runtime.times import MachineTime
from paceline.sdk.interaction import InteractionServerClient

T = TypeVar("T")
Timed = Callable[[Awaitable[T]], Awaitable[T]]
"""Awaits a request and notes how long it took."""
Work = Callable[[InteractionServerClient, Timed[Any]], Awaitable[bool]]
"""One piece; False when there is nothing left to do."""

PAGE = 500
"""Interactions pulled at once when a queue is emptied: fewer than a frame may hold."""


async def submit(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    """One submission."""
    await timed(client.interaction.submit(media_type="chat", queue=QUEUE, user_data=USER_DATA))
    return True


async def submit_once(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    """One submission with a client token, which makes it safe to repeat."""
    await timed(
        client.interaction.submit(
            media_type="chat", queue=QUEUE, user_data=USER_DATA, client_token=request_id()
        )
    )
    return True


async def pull_and_stop(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    """Takes the first and ends it."""
    pulled = await timed(client.view.pull(view=VIEW))
    if not pulled.interactions:
        return False
    await timed(client.interaction.stop(interaction_id=pulled.interactions[0].interaction_id))
    return True


async def cycle(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    """Submit, pull, stop."""
    await submit(client, timed)
    await pull_and_stop(client, timed)
    return True


async def run(
    clients: Sequence[InteractionServerClient], work: Work, in_flight: int, seconds: float
) -> tuple[float, list[float]]:
    """Rate of pieces done with so many callers, and the seconds each of their requests took."""
    machine = MachineTime()
    latencies: list[float] = []
    done = 0
    begin = machine.monotonic()

    async def timed(request: Awaitable[T]) -> T:
        sent = machine.monotonic()
        answer = await request
        latencies.append(machine.monotonic() - sent)
        return answer

    async def caller(client: InteractionServerClient) -> None:
        nonlocal done
        while machine.monotonic() < begin + seconds and await work(client, timed):
            done += 1

    await asyncio.gather(*(caller(clients[number % len(clients)]) for number in range(in_flight)))
    return done / (machine.monotonic() - begin), latencies


async def drain(clients: Sequence[InteractionServerClient]) -> None:
    """Empties the queue, so that every phase begins alike."""

    async def empty(client: InteractionServerClient) -> None:
        while (pulled := await client.view.pull(view=VIEW, count=PAGE)).interactions:
            await asyncio.gather(
                *(
                    client.interaction.stop(interaction_id=item.interaction_id)
                    for item in pulled.interactions
                )
            )

    await asyncio.gather(*(empty(client) for client in clients))

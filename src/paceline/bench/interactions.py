"""Measures the interaction path over the network session: submit, pull, stop, whole cycles, one caller.

The server runs in a process of its own; the load comes from this one; both and PostgreSQL share the
machine. Every answer is durable, events and tokens are on. Used by `paceline bench interactions`.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from paceline.bench.load import Load
from paceline.runtime.times import MachineTime
from paceline.sdk.interaction import InteractionServerClient

USER_DATA = msgspec.Raw(
    msgspec.json.encode(
        {
            "FirstName": "Customer",
            "Subject": "A question about an order",
            "Language": "en",
            "Segment": "gold",
            "Page": "checkout",
            "Text": "x" * 380,
        }
    )
)
"""About 500 bytes, as the measured peers stored."""

QUEUE, VIEW = "Measured", "Measured view"


class Spread(msgspec.Struct, frozen=True):
    """Median and range over the rounds."""

    median: float
    min: float
    max: float


class Figures(msgspec.Struct, frozen=True):
    """Result of one measurement; rates per second."""

    submit_per_s: Spread
    pull_complete_per_s: Spread
    cycle_per_s: Spread
    p99_ms: Spread
    single_ms: Spread


class _Round(NamedTuple):
    submit_per_s: float
    pull_complete_per_s: float
    cycle_per_s: float
    p99_ms: float
    single_ms: float


async def measure(
    load: Load, *, in_flight: int, seconds: float, rounds: int, progress: Callable[[str], None]
) -> Figures:
    """Medians over rounds, each with all phases in the same order on the same server."""
    found = []
    for number in range(1, rounds + 1):
        found.append(await _one_round(load, in_flight, seconds))
        last = found[-1]
        progress(
            f"round {number}/{rounds}: submit {last.submit_per_s:,.0f}/s, "
            f"pull+stop {last.pull_complete_per_s:,.0f}/s, cycle {last.cycle_per_s:,.0f}/s, "
            f"p99 {last.p99_ms:.1f} ms, single {last.single_ms:.2f} ms"
        )
    columns = list(zip(*found, strict=True))
    return Figures(*(Spread(statistics.median(c), min(c), max(c)) for c in columns))


async def _one_round(load: Load, in_flight: int, seconds: float) -> _Round:
    submit_rate, _ = await _run(load, _submit, in_flight, seconds)
    pull_rate, _ = await _run(load, _pull_and_stop, in_flight, seconds)
    await _drain(load)
    cycle_rate, latencies = await _run(load, _cycle, in_flight, seconds)
    await _drain(load)
    _, single = await _run(load, _submit, 1, min(seconds, 1.0))
    await _drain(load)
    p99_ms = statistics.quantiles(latencies, n=100)[98] * 1000
    return _Round(submit_rate, pull_rate, cycle_rate, p99_ms, statistics.median(single) * 1000)


async def _submit(client: InteractionServerClient) -> bool:
    await client.interaction.submit(media_type="chat", queue=QUEUE, user_data=USER_DATA)
    return True


async def _pull_and_stop(client: InteractionServerClient) -> bool:
    pulled = await client.view.pull(view=VIEW)
    if not pulled.interactions:
        return False
    await client.interaction.stop(interaction_id=pulled.interactions[0].interaction_id)
    return True


async def _cycle(client: InteractionServerClient) -> bool:
    await _submit(client)
    await _pull_and_stop(client)
    return True


async def _drain(load: Load) -> None:
    """Empties the queue, so that every phase begins alike."""
    client = load.clients[0]
    while (pulled := await client.view.pull(view=VIEW, count=500)).interactions:
        await asyncio.gather(
            *(
                client.interaction.stop(interaction_id=item.interaction_id)
                for item in pulled.interactions
            )
        )


async def _run(
    load: Load,
    work: Callable[[InteractionServerClient], Awaitable[bool]],
    in_flight: int,
    seconds: float,
) -> tuple[float, list[float]]:
    """Rate of successful works with so many in flight, and the time each took."""
    machine = MachineTime()
    latencies: list[float] = []
    begin = machine.monotonic()
    end = begin + seconds

    async def caller(client: InteractionServerClient) -> None:
        now = machine.monotonic()
        while now < end:
            if not await work(client):
                return
            before, now = now, machine.monotonic()
            latencies.append(now - before)

    await asyncio.gather(
        *(caller(load.clients[number % len(load.clients)]) for number in range(in_flight))
    )
    return len(latencies) / (machine.monotonic() - begin), latencies

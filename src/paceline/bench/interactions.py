"""Measures the interaction path over the network session: submit, pull, stop, whole cycles, one caller.

The server runs in a process of its own; the load comes from this one; both and PostgreSQL share the
machine. Every answer is durable, events and tokens are on. Used by `paceline bench interactions`.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from paceline.bench.load import Load
from paceline.runtime.times import MachineTime, Times
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.storage.plain_queue import create_plain_queue, pull_and_stop_plain, submit_plain
from paceline.wire.operations.interaction import Submit

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

T = TypeVar("T")
QUEUE, VIEW = "Measured", "Measured view"


class Spread(msgspec.Struct, frozen=True):
    """Median and range over the rounds."""

    median: float
    min: float
    max: float


class Figures(msgspec.Struct, frozen=True):
    """Result of a measurement. Rates per second; `p99_ms` of single requests within whole cycles.

    `backlog_ratio` is the cycle rate with the backlog waiting over the rate with 1,000 waiting;
    `skip_locked_ratio` is our pull and stop over a plain table's with SKIP LOCKED, same machine, same run.
    """

    submit_per_s: Spread
    pull_complete_per_s: Spread
    cycle_per_s: Spread
    p99_ms: Spread
    single_ms: Spread
    backlog_ratio: Spread
    rss_mb: Spread
    skip_locked_ratio: Spread
    in_flight: int
    backlog: int
    rounds: int


class _Round(NamedTuple):
    submit_per_s: float
    pull_complete_per_s: float
    cycle_per_s: float
    p99_ms: float
    single_ms: float


async def measure(
    times: Times,
    *,
    in_flight: int,
    seconds: float,
    rounds: int,
    backlog: int,
    progress: Callable[[str], None],
) -> Figures:
    """Medians over rounds, each with all phases in the same order on the same server."""
    async with Load.running(times) as load:
        found, ratios = [], []
        database = open_database(from_url(load.database_url), times=times, pool_size=64)
        await create_plain_queue(database)
        for number in range(1, rounds + 1):
            found.append(await _one_round(load, in_flight, seconds))
            last = found[-1]
            plain = await _plain_rate(database, seconds)
            ratios.append(last.pull_complete_per_s / plain)
            progress(
                f"round {number} of {rounds}: submit {last.submit_per_s:,.0f}/s, "
                f"pull and stop {last.pull_complete_per_s:,.0f}/s (plain table {plain:,.0f}/s), "
                f"cycle {last.cycle_per_s:,.0f}/s, p99 {last.p99_ms:.1f} ms, "
                f"single {last.single_ms:.2f} ms"
            )
        await database.close()
        backlog_ratios = await _backlog_ratios(load, in_flight, seconds, rounds, backlog, progress)
        memory = load.server_memory_mb()
    return Figures(
        submit_per_s=_spread([r.submit_per_s for r in found]),
        pull_complete_per_s=_spread([r.pull_complete_per_s for r in found]),
        cycle_per_s=_spread([r.cycle_per_s for r in found]),
        p99_ms=_spread([r.p99_ms for r in found]),
        single_ms=_spread([r.single_ms for r in found]),
        backlog_ratio=_spread(backlog_ratios),
        rss_mb=_spread([memory]),
        skip_locked_ratio=_spread(ratios),
        in_flight=in_flight,
        backlog=backlog,
        rounds=rounds,
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


async def _plain_rate(database: Database, seconds: float) -> float:
    """Pull and stop on the plain table with 64 callers, as the measured peers had."""
    body = bytes(USER_DATA).decode()
    machine = MachineTime()
    done = 0
    callers = 64
    for _ in range(40):
        await asyncio.gather(*(submit_plain(database, body) for _ in range(250)))
    begin = machine.monotonic()

    async def caller() -> None:
        nonlocal done
        while machine.monotonic() < begin + seconds and await pull_and_stop_plain(database):
            done += 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    return done / (machine.monotonic() - begin)


async def _backlog_ratios(
    load: Load,
    in_flight: int,
    seconds: float,
    rounds: int,
    backlog: int,
    progress: Callable[[str], None],
) -> list[float]:
    """Cycle rates with the backlog waiting over those with 1,000; all small rounds run before the large ones."""
    await _fill(load, 1000, progress)
    small = [(await _run(load, _cycle, in_flight, seconds))[0] for _ in range(rounds)]
    await _fill(load, backlog - 1000, progress)
    return [(await _run(load, _cycle, in_flight, seconds))[0] / rate for rate in small]


async def _fill(load: Load, count: int, progress: Callable[[str], None]) -> None:
    item = Submit(media_type="chat", queue=QUEUE, user_data=USER_DATA)
    left = count
    told = 0
    while left > 0:
        sizes = [min(500, left - 500 * k) for k in range(8) if left > 500 * k]
        await asyncio.gather(
            *(
                load.clients[k % len(load.clients)].interaction.submit_batch(
                    interactions=(item,) * size, timeout_s=60
                )
                for k, size in enumerate(sizes)
            )
        )
        left -= sum(sizes)
        if (count - left) // 100_000 > told:
            told = (count - left) // 100_000
            progress(f"backlog: {count - left:,} of {count:,} submitted")


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


Timed = Callable[[Awaitable[T]], Awaitable[T]]
"""Awaits a request and notes how long it took."""


async def _submit(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    await timed(client.interaction.submit(media_type="chat", queue=QUEUE, user_data=USER_DATA))
    return True


async def _pull_and_stop(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    pulled = await timed(client.view.pull(view=VIEW))
    if not pulled.interactions:
        return False
    await timed(client.interaction.stop(interaction_id=pulled.interactions[0].interaction_id))
    return True


async def _cycle(client: InteractionServerClient, timed: Timed[Any]) -> bool:
    await _submit(client, timed)
    await _pull_and_stop(client, timed)
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
    work: Callable[[InteractionServerClient, Timed[Any]], Awaitable[bool]],
    in_flight: int,
    seconds: float,
) -> tuple[float, list[float]]:
    """Rate of successful works with so many callers, and the seconds each of their requests took."""
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

    await asyncio.gather(
        *(caller(load.clients[number % len(load.clients)]) for number in range(in_flight))
    )
    return done / (machine.monotonic() - begin), latencies

"""Measures the interaction path over the network session: submit, pull, stop, whole cycles, one caller.

The server runs in a process of its own; the load comes from this one; both and PostgreSQL share the
machine. Every answer is durable, events and tokens are on. Used by `paceline bench interactions`.
"""

import asyncio
import statistics
from collections.abc import Callable, Sequence

import msgspec

from paceline.assembly.measured_node import QUEUE
from paceline.bench.fill import USER_DATA, fill
from paceline.bench.interaction_work import cycle, drain, pull_and_stop, run, submit, submit_once
from paceline.bench.load import Load
from paceline.bench.spread import Spread, spread
from paceline.runtime.times import MachineTime, Times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.storage.plain_queue import PeerQueue, PlainQueue, VisibilityQueue

PEER_CALLERS = 64
"""Callers of a peer's table, each with a connection: with more it gets slower."""

PEER_FILL = 10_000
"""Rows that a peer's table gets per second of measuring: more than it can give out."""

FEW = 1000
"""What waits beside the backlog that is compared with it (issue 6)."""


class Rates(msgspec.Struct, frozen=True):
    """Rates per second with so many requests in flight; `p99_ms` of single requests in whole cycles.

    `token_ratio` is the rate of submissions with a client token over that without.
    """

    in_flight: int
    submit_per_s: Spread
    token_submit_per_s: Spread
    token_ratio: Spread
    pull_complete_per_s: Spread
    cycle_per_s: Spread
    p99_ms: Spread


class Figures(msgspec.Struct, frozen=True):
    """Result of a measurement; the figures of `Rates` are those of the first number in flight.

    `backlog_ratio` is the cycle rate with the backlog waiting over the rate with 1,000 waiting;
    `rss_mb` the server's memory with it; `skip_locked_ratio` and `pgmq_ratio` are our pull and stop
    over those of the two peers' tables, same machine, same run; `single_ms` is the mean time of a
    submission when nobody else asks.
    """

    in_flight: int
    submit_per_s: Spread
    token_submit_per_s: Spread
    token_ratio: Spread
    pull_complete_per_s: Spread
    cycle_per_s: Spread
    p99_ms: Spread
    single_ms: Spread
    backlog_ratio: Spread
    rss_mb: Spread
    skip_locked_per_s: Spread
    skip_locked_ratio: Spread
    pgmq_per_s: Spread
    pgmq_ratio: Spread
    backlog: int
    rounds: int
    beside: tuple[Rates, ...]


class _Round(msgspec.Struct, frozen=True):
    submit_per_s: float
    token_submit_per_s: float
    pull_complete_per_s: float
    cycle_per_s: float
    p99_ms: float

    @property
    def line(self) -> str:
        return (
            f"submit {self.submit_per_s:,.0f}/s (with tokens {self.token_submit_per_s:,.0f}/s), "
            f"pull and stop {self.pull_complete_per_s:,.0f}/s, cycle {self.cycle_per_s:,.0f}/s, "
            f"p99 {self.p99_ms:.1f} ms"
        )


class _Peers(msgspec.Struct, frozen=True):
    single_ms: float
    skip_locked_per_s: float
    pgmq_per_s: float


async def measure(
    times: Times,
    *,
    in_flight: Sequence[int],
    seconds: float,
    rounds: int,
    backlog: int,
    progress: Callable[[str], None],
) -> Figures:
    """Medians over rounds, each with all phases in the same order on the same server."""
    found: dict[int, list[_Round]] = {number: [] for number in in_flight}
    peers: list[_Peers] = []
    async with Load.running(times) as load:
        for number in range(1, rounds + 1):
            for callers, results in found.items():
                results.append(await _one_round(load, callers, seconds))
                progress(f"round {number} of {rounds}, {callers} in flight: {results[-1].line}")
            peers.append(await _beside(load, times, seconds))
            progress(
                f"round {number} of {rounds}: one caller {peers[-1].single_ms:.2f} ms, SKIP LOCKED "
                f"table {peers[-1].skip_locked_per_s:,.0f}/s, pgmq's statements "
                f"{peers[-1].pgmq_per_s:,.0f}/s"
            )
    ratios, memory_mb = await _backlog(
        times,
        in_flight=in_flight[0],
        seconds=seconds,
        pairs=rounds,
        backlog=backlog,
        progress=progress,
    )
    ours = [result.pull_complete_per_s for result in found[in_flight[0]]]
    main, *beside = (_rates(callers, results) for callers, results in found.items())
    return Figures(
        **msgspec.structs.asdict(main),
        single_ms=spread([one.single_ms for one in peers]),
        backlog_ratio=spread(ratios),
        rss_mb=spread([memory_mb]),
        skip_locked_per_s=spread([one.skip_locked_per_s for one in peers]),
        skip_locked_ratio=_ratio(ours, [one.skip_locked_per_s for one in peers]),
        pgmq_per_s=spread([one.pgmq_per_s for one in peers]),
        pgmq_ratio=_ratio(ours, [one.pgmq_per_s for one in peers]),
        backlog=backlog,
        rounds=rounds,
        beside=tuple(beside),
    )


def _rates(in_flight: int, results: Sequence[_Round]) -> Rates:
    plain = [result.submit_per_s for result in results]
    tokens = [result.token_submit_per_s for result in results]
    return Rates(
        in_flight=in_flight,
        submit_per_s=spread(plain),
        token_submit_per_s=spread(tokens),
        token_ratio=_ratio(tokens, plain),
        pull_complete_per_s=spread([result.pull_complete_per_s for result in results]),
        cycle_per_s=spread([result.cycle_per_s for result in results]),
        p99_ms=spread([result.p99_ms for result in results]),
    )


def _ratio(values: Sequence[float], others: Sequence[float]) -> Spread:
    return spread([value / other for value, other in zip(values, others, strict=True)])


async def _one_round(load: Load, in_flight: int, seconds: float) -> _Round:
    clients = load.clients
    submit_rate, _ = await run(clients, submit, in_flight, seconds)
    token_rate, _ = await run(clients, submit_once, in_flight, seconds)
    pull_rate, _ = await run(clients, pull_and_stop, in_flight, seconds)
    await drain(clients)
    cycle_rate, latencies = await run(clients, cycle, in_flight, seconds)
    await drain(clients)
    p99_ms = statistics.quantiles(latencies, n=100)[98] * 1000
    return _Round(submit_rate, token_rate, pull_rate, cycle_rate, p99_ms)


async def _beside(load: Load, times: Times, seconds: float) -> _Peers:
    """One caller alone, and the peers' tables on the server's own PostgreSQL."""
    alone_per_s, _ = await run(load.clients, submit, 1, min(seconds, 1.0))
    await drain(load.clients)
    database = open_database(from_url(load.database_url), times=times, pool_size=PEER_CALLERS)
    plain = await _peer_rate(PlainQueue(database), seconds)
    pgmq = await _peer_rate(VisibilityQueue(database), seconds)
    await database.close()
    return _Peers(1000 / alone_per_s, plain, pgmq)


async def _peer_rate(queue: PeerQueue, seconds: float) -> float:
    """Pull and stop with as many callers as the measured peers had."""
    await queue.create()
    body = bytes(USER_DATA).decode()
    left = int(PEER_FILL * seconds)
    machine = MachineTime()
    done = 0

    async def filler() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await queue.submit(body)

    await asyncio.gather(*(filler() for _ in range(PEER_CALLERS)))
    begin = machine.monotonic()

    async def caller() -> None:
        nonlocal done
        while machine.monotonic() < begin + seconds and await queue.pull_and_stop():
            done += 1

    await asyncio.gather(*(caller() for _ in range(PEER_CALLERS)))
    return done / (machine.monotonic() - begin)


async def _backlog(
    times: Times,
    *,
    in_flight: int,
    seconds: float,
    pairs: int,
    backlog: int,
    progress: Callable[[str], None],
) -> tuple[list[float], float]:
    """Cycle rates with the backlog over those with few waiting, and the memory it takes in MB.

    Two servers, each with a PostgreSQL of its own, take turns, so that whatever the machine does
    meanwhile meets both; the idle one costs nothing.
    """
    async with Load.running(times) as small, Load.running(times) as large:
        await fill(small.clients, QUEUE, FEW, progress)
        await fill(large.clients, QUEUE, backlog, progress)
        for load in (small, large):  # what the filling left to write is not the cycles' work
            await load.settle(times)
        ratios = []
        for number in range(1, pairs + 1):
            order = (small, large) if number % 2 else (large, small)
            rates = {
                id(load): (await run(load.clients, cycle, in_flight, seconds))[0] for load in order
            }
            ratios.append(rates[id(large)] / rates[id(small)])
            progress(
                f"pair {number} of {pairs}: cycle {rates[id(small)]:,.0f}/s with {FEW:,} waiting, "
                f"{rates[id(large)]:,.0f}/s with {backlog:,}, ratio {ratios[-1]:.2f}"
            )
        return ratios, large.server_memory_mb()

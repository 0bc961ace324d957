"""Two processes of one node, killed and stopped at random moments, and its database too: nothing is lost."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil
import pytest

from paceline.bench.failover_site import FailoverSite
from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, real_times
from paceline.sdk import InteractionServerClient
from paceline.wire.operations.interaction import Interaction
from tests.fault.pair_traffic import CHATS, SITE, Traffic
from tests.fault.site import whole_log
from tests.fault.told import Replay

NODES = ("first", "second")
PATIENCE_S = 60.0
PAST_THE_LEASE_S = 5.5
Fault = Callable[["Faults"], Awaitable[None]]


class Faults:
    """What happens to the processes; whoever was killed is started again, as a service manager would."""

    def __init__(self, site: FailoverSite, times: Times, seed: int) -> None:
        self.dice = random.Random(seed)
        self._site = site
        self._machine = times.machine

    async def supervise(self) -> None:
        """Starts again whatever ended."""
        while True:
            await self._machine.sleep(0.2)
            for name in NODES:
                if self._site.processes[name].returncode is not None:
                    await self._site.begin_node(name)

    async def kill_leader(self) -> None:
        """kill -9 of the process that works."""
        self._site.send(await self._leader(), signal.SIGKILL)

    async def kill_both(self) -> None:
        """kill -9 of both."""
        for name in NODES:
            self._site.send(name, signal.SIGKILL)

    async def stop_leader(self) -> None:
        """A stop in order."""
        self._site.send(await self._leader(), signal.SIGTERM)

    async def pause_leader_shortly(self) -> None:
        """Stopped and continued within its lease."""
        await self._pause(await self._leader(), self.dice.uniform(0.3, 2.5))

    async def pause_leader_long(self) -> None:
        """Stopped until another has taken its lease; then it wakes."""
        await self._pause(await self._leader(), PAST_THE_LEASE_S)

    async def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL; its supervisor starts it again, and it recovers."""
        self._postgres()[0].kill()

    async def kill_a_backend(self) -> None:
        """kill -9 of one of PostgreSQL's processes: all of them start anew."""
        self.dice.choice(self._postgres()[1:]).kill()

    async def kill_database(self) -> None:
        """kill -9 of the supervisor, with which PostgreSQL ends; both are started again."""
        await self._site.end("database", signal.SIGKILL)
        await self._site.begin_database()

    async def pause_database(self) -> None:
        """All processes of PostgreSQL are stopped and continued."""
        paused = self._postgres()
        for process in paused:
            process.suspend()
        await self._machine.sleep(self.dice.uniform(0.3, 3.0))
        for process in paused:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    async def _leader(self) -> str:
        return await self._site.leader() or self.dice.choice(NODES)

    async def _pause(self, name: str, seconds: float) -> None:
        process = self._site.processes[name]
        process.send_signal(signal.SIGSTOP)
        await self._machine.sleep(seconds)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)

    def _postgres(self) -> list[psutil.Process]:
        """The postmaster, then its processes."""
        supervisor = psutil.Process(self._site.processes["database"].pid)
        return supervisor.children(recursive=True)


ALL: list[Fault] = [
    Faults.kill_leader,
    Faults.pause_leader_long,
    Faults.kill_postgres,
    Faults.stop_leader,
    Faults.kill_both,
    Faults.pause_leader_shortly,
    Faults.kill_database,
    Faults.pause_database,
    Faults.kill_a_backend,
]


async def _served_again(client: InteractionServerClient, times: Times) -> None:
    """Returns when a submission is acknowledged."""
    until = times.machine.monotonic() + PATIENCE_S
    while True:
        try:
            await client.interaction.submit(media_type="chat", queue=CHATS)
            return
        except PacelineError as refusal:
            assert times.machine.monotonic() < until, f"nobody serves: {refusal}"
            await times.machine.sleep(0.1)


async def _everything(client: InteractionServerClient) -> dict[str, Interaction]:
    found: dict[str, Interaction] = {}
    continuation: str | None = None
    while True:
        page = await client.interaction.find(
            limit=500, continuation=continuation, include_finished=True
        )
        found |= {item.interaction_id: item for item in page.interactions}
        continuation = page.continuation
        if continuation is None:
            return found


async def _check(client: InteractionServerClient, traffic: Traffic) -> None:
    stored = await _everything(client)
    log = await whole_log(client)
    replay = Replay(ordered=CHATS)
    for event in log:
        replay.take(event)
    assert replay.items.keys() == stored.keys()
    for key, told in replay.items.items():
        item = stored[key]
        agents = {item.agent, *item.parties} - {None} if told.state == "handling" else set()
        assert (told.state, set(told.parties)) == (item.state, agents), item
        if told.state != "stopped":
            assert (told.bin, told.is_held) == (item.owner, item.is_held), item
    tokens = [item.external_id for item in stored.values() if item.external_id]
    assert len(tokens) == len(set(tokens)), "a repeated submission was stored twice"
    for token, key in traffic.submitted.items():
        assert stored[key].external_id == token, f"acknowledged {token} is not what is stored"
    for key, times_pulled in traffic.pulled.items():
        assert times_pulled <= replay.taken[key], f"{key} was handed out {times_pulled} times"
    assert {key for key in traffic.stopped if stored[key].state != "stopped"} == set()
    assert traffic.late == []
    assert traffic.is_seen_in_order
    assert traffic.seen == log[-1].event_id


async def _rounds(rounds: int, seed: int) -> None:
    times = real_times()
    async with FailoverSite.running(times, SITE) as site:
        for name in NODES:
            await site.begin_node(name)
        _, prober = site.connect("prober", "media_server")
        await _served_again(prober, times)
        faults, traffic = Faults(site, times, seed), Traffic(site, times, seed)
        supervisor = asyncio.ensure_future(faults.supervise())
        traffic.begin()
        for number in range(rounds):
            await times.machine.sleep(faults.dice.uniform(0.5, 2.5))
            fault = ALL[number % len(ALL)]
            print(f"round {number + 1} of {rounds}, seed {seed}: {fault.__name__}", flush=True)
            await fault(faults)
            await _served_again(prober, times)
        await traffic.end()
        await _served_again(prober, times)
        await times.machine.sleep(1.0)  # the last events reach the follower
        print(f"{traffic.history.count} requests, refused: {dict(traffic.refused)}", flush=True)
        await _check(prober, traffic)
        supervisor.cancel()
        await traffic.close()


@pytest.mark.fault
def test_a_pair_of_processes_loses_nothing() -> None:
    """Twenty-seven rounds, three of each kind of fault, under traffic of every operation."""
    asyncio.run(_rounds(rounds=3 * len(ALL), seed=random.randrange(10_000)))

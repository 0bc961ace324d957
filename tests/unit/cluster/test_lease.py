"""When a holder trusts its lease, on a virtual clock and SQLite in memory."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from paceline.cluster.database_lease import DatabaseLeases
from paceline.cluster.lease import Lease
from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.storage.access_point import from_url
from paceline.storage.sqlite import SqliteDatabase
from paceline.units.ids import Epoch
from paceline.units.quantities import Millis

TIMES = virtual_times(Millis(1_763_683_200_000))


class SlowStore(DatabaseLeases):
    """A store whose answers take a while or do not come."""

    delay_s = 0.0
    is_away = False
    tries = 0

    async def take(self, name: str, holder: str, address: str, lease_s: float) -> Epoch | None:
        self.tries += 1
        return await super().take(name, holder, address, lease_s)

    async def renew(self, name: str, holder: str, epoch: Epoch, lease_s: float) -> bool:
        if self.is_away:
            raise PacelineError("database_unavailable", "away")
        is_ours = await super().renew(name, holder, epoch, lease_s)
        await asyncio.sleep(self.delay_s)
        return is_ours


class Site:
    """A store of leases and processes that want one."""

    def __init__(self) -> None:
        self.database = SqliteDatabase(from_url("sqlite://"), inline=True)
        self.store = SlowStore(self.database, TIMES)
        self.lost: list[str] = []

    def process(self, holder: str) -> Lease:
        return Lease(self.store, "node", holder=holder, times=TIMES, on_lost=self.lost.append)


def on_site(act: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        site = Site()
        await site.store.prepare()
        await act(site)
        await site.database.close()

    run_virtual(main())


async def seconds_of(work: Awaitable[object]) -> float:
    begun = TIMES.machine.monotonic()
    await work
    return TIMES.machine.monotonic() - begun


def test_a_kept_lease_stays() -> None:
    """A holder that renews is trusted for as long as it does, and nobody else gets the lease."""

    async def act(site: Site) -> None:
        first, second = site.process("a"), site.process("b")
        await first.wait()
        keeping = asyncio.create_task(first.keep())
        for _ in range(30):
            await asyncio.sleep(1)
            assert first.is_trusted()
            assert not await second.acquire()
        keeping.cancel()
        assert not second.is_held()

    on_site(act)


def test_trust_ends_before_the_lease() -> None:
    """A holder that stops renewing is untrusted after 3 s; the next gets the lease in 4 to 4.1 s."""

    async def act(site: Site) -> None:
        first, second = site.process("a"), site.process("b")
        old = await first.wait()
        assert 4.0 <= await seconds_of(second.wait()) < 4.11
        assert not first.is_trusted()
        assert first.is_held()
        assert second.epoch > old

    on_site(act)


def test_a_paused_process_finds_it_lost() -> None:
    """After a pause past the lease the old holder is not trusted and its renewal tells the owner."""

    async def act(site: Site) -> None:
        first, second = site.process("a"), site.process("b")
        await first.wait()
        await asyncio.sleep(10)  # as if it had been stopped
        assert not first.is_trusted()
        await second.wait()
        await first.keep()
        assert len(site.lost) == 1
        assert "node" in site.lost[0]
        assert not first.is_held()
        with pytest.raises(PacelineError, match="stale_epoch"):
            _ = first.epoch

    on_site(act)


def test_a_waiting_process_writes_nothing() -> None:
    """While another process keeps the lease, the waiting one only reads."""

    async def act(site: Site) -> None:
        first, second = site.process("a"), site.process("b")
        await first.wait()
        tasks = [asyncio.create_task(first.keep()), asyncio.create_task(second.wait())]
        await asyncio.sleep(20)
        assert site.store.tries == 1
        for task in tasks:
            task.cancel()

    on_site(act)


def test_a_release_hands_over_at_once() -> None:
    """The waiting process has the lease a tenth of a second after a release at the latest."""

    async def act(site: Site) -> None:
        first, second = site.process("a"), site.process("b")
        old = await first.wait()
        waiting = asyncio.create_task(second.wait())
        await asyncio.sleep(1.1)
        await first.release()
        await first.release()
        assert not first.is_trusted()
        assert await seconds_of(waiting) < 0.11
        assert second.epoch > old
        assert site.lost == []

    on_site(act)


def test_trust_counts_from_before_the_question() -> None:
    """An answer that took 2.5 s to come gives trust for half a second only."""

    async def act(site: Site) -> None:
        lease = site.process("a")
        await lease.wait()
        site.store.delay_s = 2.5
        keeping = asyncio.create_task(lease.keep())
        await asyncio.sleep(3.6)  # asked at 1.0, answered at 3.5: trusted until 4.0
        assert lease.is_trusted()
        await asyncio.sleep(0.5)
        assert not lease.is_trusted()
        keeping.cancel()

    on_site(act)


def test_silence_of_the_store_is_no_loss() -> None:
    """While the store is away trust ends; when it returns and nobody came, it comes back."""

    async def act(site: Site) -> None:
        lease = site.process("a")
        epoch = await lease.wait()
        keeping = asyncio.create_task(lease.keep())
        site.store.is_away = True
        await asyncio.sleep(8)
        assert not lease.is_trusted()
        site.store.is_away = False
        await asyncio.sleep(1.1)
        assert lease.is_trusted()
        assert (lease.epoch, site.lost) == (epoch, [])
        keeping.cancel()

    on_site(act)


def test_durations_that_cannot_work_are_refused() -> None:
    """Renewal must come before trust ends, and trust must end before the lease."""

    async def act(site: Site) -> None:
        with pytest.raises(ValueError, match="node"):
            Lease(
                site.store, "node", holder="a", times=TIMES, on_lost=site.lost.append, trust_s=4.0
            )

    on_site(act)

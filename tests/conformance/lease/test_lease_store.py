"""The laws of a store of leases, on every engine."""

import asyncio
from collections.abc import Awaitable, Callable

from paceline.cluster.database_lease import DatabaseLeases
from paceline.cluster.lease import LeaseRecord
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from tests.databases import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]


def run_on(url: str, act: Callable[[DatabaseLeases, Database], Awaitable[None]]) -> None:
    async def main() -> None:
        database = open_database(from_url(url), times=real_times(), inline=url == "sqlite://")
        try:
            leases = DatabaseLeases(database, real_times())
            await asyncio.gather(leases.prepare(), leases.prepare())
            await leases.prepare()
            await act(leases, database)
        finally:
            await database.close()

    asyncio.run(main())


async def expire(database: Database) -> None:
    """What time does to a lease nobody renews."""
    await database.execute("UPDATE cluster.lease SET expires_at = 1")


def test_one_holder_at_a_time(database_url: str) -> None:
    """Of many that ask at once one gets the lease; the others get it only when it has ended."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        names = [f"p{number}" for number in range(8)]
        asked = [leases.take("node", name, f"{name}:1", 60) for name in names]
        epochs = await asyncio.gather(*asked)
        [holder] = [name for name, epoch in zip(names, epochs, strict=True) if epoch]
        record = await leases.read("node")
        assert record == LeaseRecord(holder, max(filter(None, epochs)), f"{holder}:1", True)
        await expire(database)
        assert await leases.take("node", "next", "", 60) is not None
        assert await leases.take("node", holder, "", 60) is None

    run_on(database_url, act)


def test_epochs_grow(database_url: str) -> None:
    """An epoch is at least the seconds since 1970 and above the last one, whoever takes it."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        before_s = real_times().machine.now() // 1000
        first = await leases.take("node", "a", "", 60)
        assert first is not None
        assert before_s <= first <= real_times().machine.now() // 1000 + 1
        epochs: list[int] = [first]
        for holder in ("a", "b", "c"):
            await expire(database)
            epochs.append(await leases.take("node", holder, "", 60) or 0)
        assert epochs == sorted(set(epochs))

    run_on(database_url, act)


def test_epochs_grow_across_a_restored_database(database_url: str) -> None:
    """A database restored from long ago gives no epoch below those given since the copy."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        given = await leases.take("node", "a", "", 60)
        await database.execute("UPDATE cluster.lease SET epoch = 1000, expires_at = 1")
        assert (await leases.take("node", "b", "", 60) or 0) >= (given or 0)
        await database.execute("UPDATE cluster.lease SET epoch = 99999999999, expires_at = 1")
        assert await leases.take("node", "c", "", 60) == 100000000000

    run_on(database_url, act)


def test_renewal_belongs_to_holder_and_epoch(database_url: str) -> None:
    """A renewal prolongs the holder's own lease only, ended or not, until another has taken it."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        epoch = await leases.take("node", "a", "", 60)
        assert epoch is not None
        assert await leases.renew("node", "a", epoch, 60)
        assert not await leases.renew("node", "b", epoch, 60)
        assert not await leases.renew("node", "a", type(epoch)(epoch - 1), 60)
        await expire(database)
        assert await leases.renew("node", "a", epoch, 60)
        assert await leases.take("node", "b", "", 60) is None
        await expire(database)
        assert await leases.take("node", "b", "", 60) is not None
        assert not await leases.renew("node", "a", epoch, 60)

    run_on(database_url, act)


def test_release_frees_at_once_and_keeps_the_epoch(database_url: str) -> None:
    """After a release the next takes it with a higher epoch; a late release of the old does nothing."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        first = await leases.take("node", "a", "", 60)
        assert first is not None
        await leases.release("node", "a", first)
        second = await leases.take("node", "b", "", 60)
        assert second is not None
        assert second > first
        await leases.release("node", "a", first)
        record = await leases.read("node")
        assert record is not None
        assert (record.holder, record.is_valid) == ("b", True)

    run_on(database_url, act)


def test_leases_have_names(database_url: str) -> None:
    """Leases of different names know nothing of each other."""

    async def act(leases: DatabaseLeases, database: Database) -> None:
        assert await leases.take("one", "a", "", 60) is not None
        assert await leases.take("two", "b", "", 60) is not None
        assert await leases.read("three") is None

    run_on(database_url, act)

"""Events and finished interactions by month on PostgreSQL: made ahead, filled, dropped whole; erased."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.runtime.times import real_times
from paceline.servers.interaction.event_log.store import TABLE as CHUNKS
from paceline.servers.interaction.rules.months import Month
from paceline.servers.interaction.store import partitions
from paceline.servers.interaction.store.node import FINISHED
from paceline.servers.interaction.tasks import retention
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from tests.databases import postgres_server, postgres_url
from tests.fakes.site import Node, running_node

__all__ = ("postgres_server", "postgres_url")
pytestmark = pytest.mark.integration

JANUARY = to_millis("2026-01-31T23:00:00Z", field="at")
DAY = 86_400_000
Scenario = Callable[[Node, Database], Awaitable[None]]


def _run_at(url: str, instant: int, scenario: Scenario) -> None:
    """One process of the node that finds business time at an instant."""

    async def run() -> None:
        times = real_times(business_start=Millis(instant))
        database = open_database(from_url(url), times=times)
        try:
            async with running_node(times, database=database, epoch=instant) as node:
                await scenario(node, database)
        finally:
            await database.close()

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHECK_S", 0.05)


async def _until_gone(database: Database, table: str, month: Month) -> None:
    """Returns when retention has dropped a month."""
    async with asyncio.timeout(60):
        while month in await partitions.months_of(database, table):
            await real_times().machine.sleep(0.02)


async def _one_life(node: Node) -> str:
    media = await node.client("chat")
    key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
    await media.interaction.stop(interaction_id=key)
    return key


async def _count(database: Database, table: str) -> int:
    return int((await database.fetch(f"SELECT count(*) FROM {table}"))[0][0])


def test_months_are_made_ahead_and_dropped_whole(postgres_url: str) -> None:
    """Rows go into their month; past the retention the month is gone, with data and ids; younger ones stay."""
    keys: list[str] = []

    async def january(node: Node, database: Database) -> None:
        keys.append(await _one_life(node))
        for table in (CHUNKS, FINISHED):
            months = await partitions.months_of(database, table)
            assert months == [Month(2026, 1), Month(2026, 2), Month(2026, 3)]
            assert await _count(database, partitions.name_of(table, months[0])) > 0
            assert await _count(database, partitions.default_of(table)) == 0

    async def february(node: Node, database: Database) -> None:
        keys.append(await _one_life(node))
        report = await node.client("report", "reporting")
        assert [e.event_id for e in (await report.event.read()).items] == [1, 2, 3, 4]

    async def may(node: Node, database: Database) -> None:
        for table in (CHUNKS, FINISHED):
            await _until_gone(database, table, Month(2026, 1))
        report = await node.client("report", "reporting")
        page = await report.event.read(after="1.1")
        assert page.resync_required
        assert [e.event_id for e in page.items] == [3, 4]
        with pytest.raises(PacelineError, match="not_found"):
            await report.interaction.get(interaction_id=keys[0])
        assert (await report.interaction.get(interaction_id=keys[1])).state == "stopped"
        assert await _count(database, "interaction.interaction_data") == 1

    _run_at(postgres_url, JANUARY, january)
    _run_at(postgres_url, JANUARY + 5 * DAY, february)
    _run_at(postgres_url, JANUARY + 95 * DAY, may)


def test_a_month_waits_for_a_registered_reader(postgres_url: str) -> None:
    """A reader that confirmed lately and is behind keeps the month; once past it, the month goes."""

    async def january(node: Node, database: Database) -> None:
        await _one_life(node)

    async def march(node: Node, database: Database) -> None:
        await _one_life(node)
        report = await node.client("report", "reporting")
        await report.event_reader.confirm(reader="hist", position="1.1")

    async def may(node: Node, database: Database) -> None:
        report = await node.client("report", "reporting")
        await _until_gone(database, FINISHED, Month(2026, 1))
        assert [e.event_id for e in (await report.event.read(reader="hist")).items] == [2, 3, 4]
        await report.event_reader.confirm(reader="hist", position="1.2")
        await _until_gone(database, CHUNKS, Month(2026, 1))
        page = await report.event.read(reader="hist")
        assert [e.event_id for e in page.items] == [3, 4]
        assert not page.resync_required

    _run_at(postgres_url, JANUARY, january)
    _run_at(postgres_url, JANUARY + 40 * DAY, march)
    _run_at(postgres_url, JANUARY + 95 * DAY, may)


def test_what_a_database_held_before_partitions_stays_and_expires(postgres_url: str) -> None:
    """Rows of an older schema are the default partition: read, found, dropped in steps, in no month's way."""

    async def older() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        await upgrade(database, ["interaction"])
        await database.execute(
            f"INSERT INTO {CHUNKS} SELECT 1, 1, 1, 1, $1, $1, $2",
            JANUARY,
            bytes.fromhex("28b52ffd2002110000") + b"[]",
        )
        await database.execute(
            "INSERT INTO interaction.node (node_code, epoch, last_event_id, last_submit_seq, "
            "last_id_ms, business_at) VALUES (1, 0, 1, 0, 0, $1)",
            JANUARY,
        )
        await database.close()

    async def february(node: Node, database: Database) -> None:
        assert await _count(database, partitions.default_of(CHUNKS)) == 1
        months = await partitions.months_of(database, CHUNKS)
        assert months == [Month(2026, 2), Month(2026, 3), Month(2026, 4)]

    async def june(node: Node, database: Database) -> None:
        async with asyncio.timeout(60):
            while await _count(database, CHUNKS):
                await real_times().machine.sleep(0.02)

    asyncio.run(older())
    _run_at(postgres_url, JANUARY + 5 * DAY, february)
    _run_at(postgres_url, JANUARY + 130 * DAY, june)


def test_a_person_is_erased_on_postgresql_as_on_sqlite(postgres_url: str) -> None:
    """By a value under a key: in work and finished, by month and all."""

    async def scenario(node: Node, database: Database) -> None:
        client = await node.client("office", "operator")
        data = msgspec.Raw(b'{"cus\\"tomer":"Ann","age":7}')
        keys = [
            (
                await client.interaction.submit(media_type="chat", queue="Chats", user_data=data)
            ).interaction_id
            for _ in range(2)
        ]
        await client.interaction.stop(interaction_id=keys[0])
        answer = await client.privacy.erase(key='cus"tomer', value="Ann")
        assert (answer.interactions, answer.finished) == (1, 1)
        for key in keys:
            found = await client.interaction.get(interaction_id=key)
            assert bytes(found.user_data) == b"{}"
        assert (await client.privacy.erase(key="age", value="7")).interactions == 0

    _run_at(postgres_url, JANUARY, scenario)

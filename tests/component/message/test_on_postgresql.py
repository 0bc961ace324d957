"""The Message Server on PostgreSQL: the same statements, the same outcome."""

import asyncio

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from tests.component.message.test_message_server import FAILED, HEALED, opened
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.integration


def test_messages_alarms_retention_and_restart(postgres_url: str) -> None:
    """Alarms rise, fall and stay over a restart; lists and retention work on PostgreSQL too."""

    async def main() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        async with opened(database, times) as desk:
            await asyncio.gather(*(desk.log(n) for n in (FAILED, HEALED, FAILED, 5, 5)))
            assert len(await desk.active()) == 1
            page = await desk.client.message.list(number=5, application="pacing", limit=1)
            assert not page.complete
            page = await desk.client.message.list(number=5, continuation=page.continuation)
            assert len(page.items) == 1
        async with opened(database, times) as desk:
            [standing] = (await desk.client.alarm.list()).items
            await desk.client.alarm.clear(id=standing.id)
            assert len((await desk.client.alarm.list(all=True, limit=1)).items) == 1
            now = times.business.now()
            deleted = await desk.server._store.forget_before(Millis(now + 1))
            assert deleted == 5 + 2
        await database.close()

    asyncio.run(main())

"""The peers of `bench interactions` are real queues: many callers, each message to one of them."""

import asyncio
from collections.abc import Callable

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.storage.plain_queue import PeerQueue, PlainQueue, VisibilityQueue
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.integration
MESSAGES, CALLERS = 40, 4


@pytest.mark.parametrize("kind", [PlainQueue, VisibilityQueue])
def test_each_message_goes_to_one_caller(
    kind: Callable[[Database], PeerQueue], postgres_url: str
) -> None:
    """So many pulls succeed as there were messages, then none; made anew it is empty."""

    async def scenario() -> None:
        database = open_database(from_url(postgres_url), times=real_times(), pool_size=CALLERS)
        queue = kind(database)
        await queue.create()
        await asyncio.gather(*(queue.submit('{"text": "x"}') for _ in range(MESSAGES)))

        async def caller() -> int:
            done = 0
            while await queue.pull_and_stop():
                done += 1
            return done

        assert sum(await asyncio.gather(*(caller() for _ in range(CALLERS)))) == MESSAGES
        await queue.submit("{}")
        await queue.create()
        assert not await queue.pull_and_stop()
        await database.close()

    asyncio.run(scenario())

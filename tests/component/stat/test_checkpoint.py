"""The checkpoint on every engine."""

import asyncio

import pytest

from paceline.runtime.times import real_times
from paceline.servers.stat.live.saved import gather, put_back, restore
from paceline.servers.stat.store.checkpoint import read_checkpoint, write_checkpoint
from paceline.storage.access_point import from_url
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from tests.databases import database_url, postgres_server, postgres_url
from tests.unit.stat.story import START, Floor, Story

__all__ = ["database_url", "postgres_server", "postgres_url"]


@pytest.mark.integration
def test_checkpoint_comes_back_on_every_engine(database_url: str) -> None:
    """What was written is read: positions, totals, interactions, agents; twice does no harm."""

    async def main() -> None:
        database = open_database(
            from_url(database_url), times=real_times(), inline=database_url == "sqlite://"
        )
        try:
            await upgrade(database, ["stat"])
            floor, story = Floor(), Story()
            accepted = floor.open("Queue", "VQ1", stat_type="PACS_VQ_Accepted", profile="Ever")
            dropped = floor.open("Queue", "VQ2", stat_type="PACS_VQ_Accepted", profile="Ever")
            story.log_in("a1", "chat")
            story.enter("i1", "VQ1", keys={"Proactive": "1", "PacingTarget": "Grüße, „VQ“"})
            story.invite("i1", "a1")
            floor.take(story)
            first = gather(floor.centre)
            await write_checkpoint(database, first)
            put_back(floor.centre, first)
            story.accept("i1", "a1", "VQ1")
            story.enter("i2", "VQ1")
            floor.take(story)
            floor.centre.statistics.drop(dropped)
            for _ in range(2):
                await write_checkpoint(database, gather(floor.centre))
            back = Floor()
            restore(back.centre, await read_checkpoint(database), Millis(START))
        finally:
            await database.close()
        assert back.centre.interactions == floor.centre.interactions
        assert back.centre.agents.state((1, "a1")) == floor.centre.agents.state((1, "a1"))
        assert back.centre.positions.text == floor.centre.positions.text
        assert back.centre.positions.events == len(story.events)
        [total] = back.centre.statistics.by_id.values()
        assert (total.id, total.value, total.since) == (accepted.id, 1, accepted.since)

    asyncio.run(main())

"""Agent sessions on PostgreSQL: the same statements, the same outcome."""

import asyncio

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url
from tests.fakes.site import running_node

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.integration


def test_sessions_are_read_as_they_were_written(postgres_url: str) -> None:
    """Place, media, readiness, reasons, calls and a reservation after a restart."""

    async def main() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        async with running_node(times, database=database) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            router = await node.client("router", "router")
            await desk.agent.login(agent="agent1", place="place1", media=("chat",), ready=True)
            await desk.media.set_state(agent="agent1", media="voice", state="busy", calls=2)
            await desk.agent.change_reason(agent="agent1", reason="training")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await router.agent.reserve(agent="agent1", interaction_id=key, duration_s=600)
            await desk.agent.login(agent="agent2")
            await desk.agent.logout(agent="agent2")
            before = (await media.agent.list()).items
        async with running_node(times, database=database, epoch=2) as node:
            desk = await node.client("desk", "agent")
            assert (await desk.agent.login(agent="agent1"),) == before
        await database.close()

    asyncio.run(main())

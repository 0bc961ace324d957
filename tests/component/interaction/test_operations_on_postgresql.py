"""Workbins, parties, snapshots, pages and children on PostgreSQL: the same statements, the same outcome."""

import asyncio

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Workbin
from paceline.model.options import RawOptions
from paceline.runtime.times import Times, real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from tests.acceptance.interaction.cast import VIEW, Cast
from tests.databases import postgres_server, postgres_url
from tests.fakes.site import running_node, small_site

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.integration


async def _first_process(times: Times, database: Database) -> str:
    """Leaves: one interaction with two parties, one in a workbin, two locked by a snapshot."""
    site = small_site()
    site.add("scripts", "Drafts", Workbin(business_process="Service", owner_type="agent"))
    async with running_node(times, database=database, site=site) as node:
        scene = Cast(node, times)
        await scene.enter()
        shared = await scene.handled()
        asked = await scene.desk1.interaction.conference(
            interaction_id=shared, agent="agent1", to_agent="agent2", visibility="coach"
        )
        await scene.desk2.interaction.accept(
            interaction_id=shared, ticket=asked.ticket, agent="agent2"
        )
        parked = [await scene.submitted(external_id=f"x{n % 2}", priority=n) for n in range(3)]
        for key in parked:
            await scene.media.interaction.place_in_workbin(
                interaction_id=key, workbin="Drafts", owner="agent1"
            )
        seen = []
        continuation = None
        for _ in parked:
            page = await scene.desk1.workbin.content(
                workbin="Drafts",
                owner="agent1",
                order="ExternalId DESC, Priority DESC",
                limit=1,
                continuation=continuation,
            )
            seen += [i.interaction_id for i in page.interactions]
            continuation = page.continuation
        assert seen == [parked[1], parked[2], parked[0]]
        assert (await scene.media.workbin.list()).items[0].depth == 3
        pulled = await scene.desk1.workbin.pull(
            workbin="Drafts", owner="agent1", agent="agent1", count=2
        )
        assert [i.interaction_id for i in pulled.interactions] == parked[:2]
        for key in parked[:2]:
            await scene.desk1.interaction.stop(interaction_id=key, agent="agent1", reason="done")
        children = [await scene.submitted(parent_id=parked[0]) for _ in range(2)]
        await scene.media.interaction.stop(interaction_id=children[0])
        listed = await scene.media.interaction.children(interaction_id=parked[0])
        assert {i.interaction_id: i.state for i in listed.interactions} == {
            children[0]: "stopped",
            children[1]: "queued",
        }
        await scene.submitted()
        await scene.media.interaction.hold(interaction_id=children[1])
        held = await scene.router.view.pull(view=VIEW, count=5, ignore_hold=True)
        assert len(held.interactions) == 2
        for item in held.interactions:
            await scene.router.interaction.place_in_queue(
                interaction_id=item.interaction_id, queue="__BACK__"
            )
        await scene.media.interaction.resume(interaction_id=children[1])
        taken = await scene.media.snapshot.take(view=VIEW, lock=True, snapshot_id="kept")
        assert taken.size == 2
        await node.server.stop()
        return shared


def test_operations_are_read_as_they_were_written(postgres_url: str) -> None:
    """After a restart parties, workbins, locks and snapshots are as they were left."""

    async def main() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        shared = await _first_process(times, database)
        async with running_node(times, database=database, epoch=2) as node:
            media = await node.client("chat")
            found = await media.interaction.get(interaction_id=shared)
            assert (found.agent, found.parties) == ("agent1", ("agent2",))
            assert (await media.view.pull(view=VIEW)).interactions == ()
            moved = await media.snapshot.move(snapshot_id="kept", queue="E-mails")
            assert moved.moved == 2
            await media.snapshot.release(snapshot_id="kept")
            assert len((await media.view.pull(view="E-mails view", count=5)).interactions) == 2
        await database.close()

    asyncio.run(main())


def test_suggested_queues_and_the_room_of_workbins(postgres_url: str) -> None:
    """What few interactions have is written with a change and read after a restart; a full workbin refuses."""

    async def main() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        site = small_site()
        site.add("scripts", "Drafts", Workbin(business_process="Service", owner_type="agent"))
        options: RawOptions = {"settings": {"max-workbin-interactions": 1}}
        async with running_node(times, database=database, site=site, options=options) as node:
            media = await node.client("chat")
            keys = [
                (
                    await media.interaction.submit(
                        media_type="chat", queue="Chats", in_queues=("Chats",)
                    )
                ).interaction_id
                for _ in range(2)
            ]
            await media.interaction.change(
                interaction_id=keys[0], priority=1, out_queues=("E-mails",)
            )
            into = {"workbin": "Drafts", "owner": "agent1"}
            await media.interaction.place_in_workbin(interaction_id=keys[0], **into)
            with pytest.raises(PacelineError, match="limit_reached"):
                await media.interaction.place_in_workbin(interaction_id=keys[1], **into)
        async with running_node(times, database=database, site=site, epoch=2) as node:
            media = await node.client("chat")
            found = await media.interaction.get(interaction_id=keys[0])
            assert (found.in_queues, found.out_queues) == (("Chats",), ("E-mails",))
            assert found.priority == 1
        await database.close()

    asyncio.run(main())

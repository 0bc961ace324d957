"""Snapshots: take, page, move, release, lock, expiry, limits, and the error of one that is gone."""

from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import BusinessProcess, Workbin
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.requests import snapshot
from paceline.servers.interaction.store.selection import select_ids
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.wire.call import Call, Principal
from paceline.wire.operations.interaction import PlaceInQueue
from paceline.wire.operations.snapshot import TakeSnapshot
from tests.acceptance.interaction.cast import START, VIEW, Cast, cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import running_node, small_site


def _site() -> SnapshotBuilder:
    site = small_site()
    site.add("business-processes", "Back office", BusinessProcess())
    site.add("scripts", "Drafts", Workbin(business_process="Back office", owner_type="agent"))
    return site


async def _waiting(scene: Cast, count: int, **fields: Any) -> list[str]:
    return [await scene.submitted(priority=-number, **fields) for number in range(count)]


async def _ids(scene: Cast, snapshot_id: str, **fields: Any) -> list[str]:
    page = await scene.desk1.snapshot.page(snapshot_id=snapshot_id, **fields)
    return [i.interaction_id for i in page.interactions]


async def _is_gone(scene: Cast, snapshot_id: str) -> bool:
    try:
        await scene.desk1.snapshot.page(snapshot_id=snapshot_id)
    except PacelineError as refused:
        assert (refused.name, refused.number) == ("snapshot_not_accessible", 2006)
        return True
    return False


def test_take_and_page_through_a_frozen_list() -> None:
    """In the view's order, or its own; what comes later is not in it; pages by start and count."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 5)
            taken = await scene.desk1.snapshot.take(view=VIEW)
            assert (taken.size, taken.is_locking) == (5, False)
            await scene.submitted(priority=9)
            assert await _ids(scene, taken.snapshot_id) == keys
            assert await _ids(scene, taken.snapshot_id, start=1, count=2) == keys[1:3]
            by_condition = await scene.desk1.snapshot.take(
                condition="Priority < -1", order="Priority"
            )
            assert await _ids(scene, by_condition.snapshot_id) == list(reversed(keys[2:]))

    run_virtual(scenario())


def test_locked_is_invisible_until_released() -> None:
    """Nobody pulls what a snapshot locks; a direct unlock is refused; release gives all back in order."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 3)
            taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
            assert (await scene.router.view.pull(view=VIEW, count=5)).interactions == ()
            with pytest.raises(PacelineError, match="locked by a snapshot"):
                await scene.media.interaction.unlock(interaction_id=keys[0])
            empty = await scene.desk2.snapshot.take(view=VIEW, lock=True)
            assert empty.size == 0
            await scene.desk1.snapshot.release(snapshot_id=taken.snapshot_id)
            pulled = await scene.router.view.pull(view=VIEW, count=5)
            assert [i.interaction_id for i in pulled.interactions] == keys
            assert await _is_gone(scene, taken.snapshot_id)
            with pytest.raises(PacelineError, match="snapshot_not_accessible"):
                await scene.desk1.snapshot.release(snapshot_id=taken.snapshot_id)

    run_virtual(scenario())


def test_what_left_the_queue_meanwhile_is_not_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Placed elsewhere after it was selected and before it is locked, it is skipped and can be pulled there."""

    async def scenario() -> None:
        async with cast() as scene:
            first, second = await _waiting(scene, 2)

            async def select_and_lose_one(*wanted: Any, **limits: Any) -> Any:
                found = await select_ids(*wanted, **limits)
                await scene.desk2.interaction.place_in_queue(interaction_id=first, queue="E-mails")
                return found

            monkeypatch.setattr(snapshot, "select_ids", select_and_lose_one)
            taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
            assert await _ids(scene, taken.snapshot_id) == [second]
            assert [(s.interaction_id, s.reason) for s in taken.skipped] == [
                (first, "not selected any more")
            ]
            assert not (await scene.media.interaction.get(interaction_id=first)).is_locked

    run_virtual(scenario())


def test_only_the_snapshots_client_moves_what_it_locks() -> None:
    """Others are refused and nothing changes; its own placement ends the lock, and move skips it then."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            first, second = await _waiting(scene, 2)
            taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
            await scene.mark()
            for place in (
                scene.media.interaction.place_in_queue(interaction_id=first, queue="E-mails"),
                scene.media.interaction.place_in_workbin(
                    interaction_id=first, workbin="Drafts", owner="agent1"
                ),
            ):
                with pytest.raises(PacelineError) as refused:
                    await place
                assert (refused.value.name, refused.value.field) == (
                    "not_allowed",
                    "interaction_id",
                )
            await scene.media.interaction.place_in_queue(interaction_id=first, queue="Chats")
            assert await scene.events() == []
            await scene.desk1.interaction.place_in_queue(interaction_id=first, queue="E-mails")
            found = await scene.media.interaction.get(interaction_id=first)
            assert (found.queue, found.is_locked) == ("E-mails", False)
            moved = await scene.desk1.snapshot.move(snapshot_id=taken.snapshot_id, stop=True)
            assert moved.moved == 1
            assert [each.reason for each in moved.skipped] == ["moved already"]
            assert await scene.state(second) == "stopped"

    run_virtual(scenario())


def test_a_lock_of_its_own_after_the_snapshots_one() -> None:
    """Moved out of a snapshot's lock, after a restart too, it can be locked on its own."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store, site=_site()) as node:
            client = await node.client("media server")
            submitted = await client.interaction.submit(media_type="chat", queue="Chats")
            key = submitted.interaction_id
            call = Call(  # over HTTP: no session, with whose end the snapshot would end too
                principal=Principal(name="supervisor", kind="person"),
                tenant=1,
                client="supervisor",
                client_kind="operator",
                request_id="1",
                deadline=times.machine.monotonic() + 10,
            )
            handlers = node.server.handlers
            await handlers["snapshot.take"](call, TakeSnapshot(view=VIEW, lock=True))
            await handlers["interaction.place_in_queue"](
                call, PlaceInQueue(interaction_id=key, queue="E-mails")
            )
        assert len(await store.fetch("SELECT 1 FROM interaction.snapshots")) == 1
        async with running_node(times, database=store, site=_site(), epoch=2) as node:
            client = await node.client("supervisor", "operator")
            await client.interaction.lock(interaction_id=key)
            assert (await client.interaction.get(interaction_id=key)).is_locked
        await store.close()

    run_virtual(scenario())


def test_move_to_a_queue_to_a_workbin_or_to_the_end() -> None:
    """Bulk move with the usual reporting events; what changed meanwhile is skipped with the reason."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            keys = await _waiting(scene, 4)
            taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
            await scene.media.interaction.stop(interaction_id=keys[3])
            await scene.mark()
            moved = await scene.desk1.snapshot.move(
                snapshot_id=taken.snapshot_id,
                queue="E-mails",
                interaction_ids=(keys[0], keys[3], "other"),
            )
            assert moved.moved == 1
            assert {s.interaction_id: s.reason for s in moved.skipped} == {
                "other": "not in the snapshot",
                keys[3]: "finished",
            }
            assert await scene.events() == ["EventPlacedInQueue"]
            await scene.desk1.snapshot.move(
                snapshot_id=taken.snapshot_id,
                workbin="Drafts",
                owner="agent1",
                interaction_ids=(keys[1],),
            )
            rest = await scene.desk1.snapshot.move(
                snapshot_id=taken.snapshot_id, stop=True, reason="too old"
            )
            assert rest.moved == 1
            states = [await scene.media.interaction.get(interaction_id=key) for key in keys]
            assert [(i.queue, i.state, i.is_locked, i.stop_reason) for i in states[:3]] == [
                ("E-mails", "queued", False, None),
                ("Drafts/PrivateQueue", "queued", False, None),
                ("Chats", "stopped", False, "too old"),
            ]

    run_virtual(scenario())


def test_without_a_lock_what_was_pulled_meanwhile_is_skipped() -> None:
    """The list is frozen, the interactions are not."""

    async def scenario() -> None:
        async with cast() as scene:
            await _waiting(scene, 3)
            taken = await scene.desk1.snapshot.take(view=VIEW)
            await scene.router.view.pull(view=VIEW, count=2)
            moved = await scene.desk1.snapshot.move(snapshot_id=taken.snapshot_id, queue="E-mails")
            assert (moved.moved, [s.reason for s in moved.skipped]) == (
                1,
                ["not waiting any more"] * 2,
            )

    run_virtual(scenario())


def test_the_smaller_of_the_requests_number_and_the_option() -> None:
    """max-interactions-per-snapshot 500 (100-10,000), taken live."""

    async def scenario() -> None:
        async with cast() as scene:
            option = "max-interactions-per-snapshot"
            assert scene.node.settings.current.integer("settings", option) == 500
            scene.node.settings.update({"settings": {option: 100}})
            await _waiting(scene, 105)
            for asked, size in ((None, 100), (7, 7), (5000, 100)):
                taken = await scene.desk1.snapshot.take(view=VIEW, max_interactions=asked)
                assert taken.size == size

    run_virtual(scenario())


def test_a_snapshot_ends_with_its_client_or_by_silence() -> None:
    """The client's session ends, or snapshot-timeout passes without a request: locks are released."""

    async def scenario() -> None:
        async with cast(options={"settings": {"snapshot-timeout": "10min"}}) as scene:
            await _waiting(scene, 2)
            visitor = await scene.node.client("visitor", "agent")
            await visitor.snapshot.take(view=VIEW, lock=True)
            await visitor.connection.close()
            await scene.settle()
            taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
            assert taken.size == 2
            await scene.settle(9 * 60)
            assert (
                len(await _ids(scene, taken.snapshot_id)) == 2
            )  # it was asked for: 10 more minutes
            await scene.settle(9 * 60)
            assert (await scene.router.view.pull(view=VIEW)).interactions == ()
            await scene.settle(2 * 60)
            assert await _is_gone(scene, taken.snapshot_id)
            assert len((await scene.router.view.pull(view=VIEW, count=5)).interactions) == 2

    run_virtual(scenario())


def test_another_clients_snapshot_is_not_accessible() -> None:
    """2006 for a stranger; the own id makes taking repeatable."""

    async def scenario() -> None:
        async with cast() as scene:
            await _waiting(scene, 2)
            first = await scene.desk1.snapshot.take(view=VIEW, snapshot_id="mine")
            await scene.submitted()
            again = await scene.desk1.snapshot.take(view=VIEW, snapshot_id="mine")
            assert (first.size, again.size) == (2, 2)
            for request in (
                scene.desk2.snapshot.page(snapshot_id="mine"),
                scene.desk2.snapshot.take(view=VIEW, snapshot_id="mine"),
                scene.desk2.snapshot.move(snapshot_id="mine", stop=True),
            ):
                with pytest.raises(PacelineError, match="snapshot_not_accessible"):
                    await request

    run_virtual(scenario())


def test_a_snapshot_survives_a_restart_with_its_locks() -> None:
    """The next process knows list and locks; after the timeout it releases them."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            media = await node.client("chat")
            await media.interaction.submit(media_type="chat", queue="Chats")
            await media.snapshot.take(view=VIEW, lock=True, snapshot_id="kept")
            await node.server.stop()
        async with running_node(times, database=store, epoch=2) as node:
            media = await node.client("chat")
            assert (await media.view.pull(view=VIEW)).interactions == ()
            assert (await media.snapshot.page(snapshot_id="kept")).size == 1
            await times.machine.sleep(3601)
            assert len((await media.view.pull(view=VIEW)).interactions) == 1

    run_virtual(scenario())

"""The option max-workbin-interactions: how much one owner's workbin may hold."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Workbin
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operations.interaction import Submit
from tests.acceptance.interaction.cast import VIEW, Cast, cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import small_site

OPTION = "max-workbin-interactions"


def _site() -> SnapshotBuilder:
    site = small_site()
    site.add("scripts", "Drafts", Workbin(business_process="Service"))
    return site


async def _placed(scene: Cast, key: str, owner: str = "agent1") -> None:
    await scene.media.interaction.place_in_workbin(
        interaction_id=key, workbin="Drafts", owner=owner, added={"seen": msgspec.Raw(b"1")}
    )


async def _content(scene: Cast, owner: str = "agent1") -> int:
    page = await scene.media.workbin.content(workbin="Drafts", owner=owner)
    return len(page.interactions)


def test_a_full_workbin_refuses_what_is_placed_into_it() -> None:
    """`limit_reached` names the workbin, nothing changes; other owners' and freed room is not concerned."""

    async def scenario() -> None:
        async with cast(site=_site(), options={"settings": {OPTION: 2}}) as scene:
            first, second, third = [await scene.submitted() for _ in range(3)]
            for key in (first, second):
                await _placed(scene, key)
            before = await scene.media.interaction.get(interaction_id=third)
            await scene.mark()
            with pytest.raises(PacelineError) as refused:
                await _placed(scene, third)
            assert (refused.value.name, refused.value.field) == ("limit_reached", "workbin")
            assert await scene.media.interaction.get(interaction_id=third) == before
            assert await scene.events() == []
            await _placed(scene, second)  # where it is already
            await _placed(scene, third, owner="agent2")
            await scene.media.interaction.stop(interaction_id=first)
            await _placed(scene, third)
            assert (await _content(scene), await _content(scene, "agent2")) == (2, 0)

    run_virtual(scenario())


def test_requests_of_one_batch_are_counted_together() -> None:
    """Of ten submissions at once into a workbin with room for four, four succeed."""

    async def scenario() -> None:
        async with cast(site=_site(), options={"settings": {OPTION: 4}}) as scene:
            into = Submit(media_type="chat", queue="Chats", workbin="Drafts", owner="agent1")
            answer = await scene.media.interaction.submit_batch(interactions=(into,) * 10)
            errors = [item.error["name"] for item in answer.items if item.error is not None]
            assert errors == ["limit_reached"] * 6
            assert await _content(scene) == 4

    run_virtual(scenario())


def test_what_was_pulled_comes_back_into_a_full_workbin() -> None:
    """The limit is for what is new there: an agent puts back what it took out."""

    async def scenario() -> None:
        async with cast(site=_site(), options={"settings": {OPTION: 1}}) as scene:
            first, second = await scene.submitted(), await scene.submitted()
            await _placed(scene, first)
            await scene.desk1.workbin.pull(workbin="Drafts", owner="agent1", agent="agent1")
            await _placed(scene, second)
            await scene.desk1.interaction.place_in_queue(interaction_id=first, queue="__BACK__")
            assert await _content(scene) == 2

    run_virtual(scenario())


def test_a_snapshot_moves_as_many_as_there_is_room_for() -> None:
    """The others are skipped with the reason and stay where they are."""

    async def scenario() -> None:
        async with cast(site=_site(), options={"settings": {OPTION: 2}}) as scene:
            for _ in range(3):
                await scene.submitted()
            taken = await scene.media.snapshot.take(view=VIEW)
            moved = await scene.media.snapshot.move(
                snapshot_id=taken.snapshot_id, workbin="Drafts", owner="agent1"
            )
            assert moved.moved == 2
            assert [each.reason for each in moved.skipped] == ["the workbin is full"]
            assert await _content(scene) == 2

    run_virtual(scenario())


def test_no_limit_by_default_and_taken_live() -> None:
    """Without the option any number goes in; a change counts from the next request on."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            assert scene.node.settings.current.integer("settings", OPTION) == 0
            for _ in range(3):
                await _placed(scene, await scene.submitted())
            scene.node.settings.update({"settings": {OPTION: 3}})
            key = await scene.submitted()
            with pytest.raises(PacelineError, match=OPTION):
                await _placed(scene, key)

    run_virtual(scenario())

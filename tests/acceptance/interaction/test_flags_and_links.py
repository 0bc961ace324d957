"""Hold, lock, ownership, parents and children: what keeps an interaction back and what it belongs to."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from tests.acceptance.interaction.cast import VIEW, cast


def test_hold_and_resume() -> None:
    """EventHeld, EventResumed; a held one is not selectable unless ignore_hold; again changes nothing."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.mark()
            for _ in range(2):
                await scene.media.interaction.hold(interaction_id=key, reason="wait for papers")
            assert (await scene.router.view.pull(view=VIEW)).interactions == ()
            await scene.media.interaction.resume(interaction_id=key)
            assert await scene.events() == ["EventHeld", "EventResumed"]
            assert len((await scene.router.view.pull(view=VIEW)).interactions) == 1

    run_virtual(scenario())


def test_lock_and_unlock() -> None:
    """Locked: invisible to views, not pullable; only what waits can be locked."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.media.interaction.lock(interaction_id=key)
            assert (await scene.media.interaction.get(interaction_id=key)).is_locked
            assert (await scene.router.view.pull(view=VIEW)).interactions == ()
            await scene.media.interaction.unlock(interaction_id=key)
            assert len((await scene.router.view.pull(view=VIEW)).interactions) == 1
            with pytest.raises(PacelineError, match="not_waiting"):
                await scene.media.interaction.lock(interaction_id=key)

    run_virtual(scenario())


def test_a_second_agents_change_is_refused() -> None:
    """not_owner 2501 with log number 23017: change, placement, hold and stop write nothing."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            desk = scene.desk2.interaction
            for request in (
                desk.change(interaction_id=key, added={"a": msgspec.Raw(b"1")}),
                desk.change(interaction_id=key, added={"a": msgspec.Raw(b"1")}, agent="agent2"),
                desk.place_in_queue(interaction_id=key, queue="E-mails"),
                desk.hold(interaction_id=key),
                desk.stop(interaction_id=key),
            ):
                with pytest.raises(PacelineError) as refused:
                    await request
                assert (refused.value.name, refused.value.number) == ("not_owner", 2501)
            assert await scene.events() == []

    run_virtual(scenario())


def test_system_properties_are_read_only_but_for_three() -> None:
    """ExternalId, ParentId and Priority change; a field such as `state` is refused by name."""

    async def scenario() -> None:
        async with cast() as scene:
            parent, key = await scene.submitted(), await scene.submitted()
            await scene.media.interaction.change(
                interaction_id=key, external_id="A7", parent_id=parent, priority=9
            )
            found = (await scene.media.interaction.find(condition="ExternalId = 'A7'")).interactions
            assert [(i.interaction_id, i.parent_id, i.priority) for i in found] == [
                (key, parent, 9)
            ]
            first = (await scene.router.view.pull(view=VIEW)).interactions[0]
            assert first.interaction_id == key

    run_virtual(scenario())


def test_children_of_an_interaction() -> None:
    """The parent must exist; children are listed page by page, finished ones included."""

    async def scenario() -> None:
        async with cast() as scene:
            parent = await scene.submitted()
            with pytest.raises(PacelineError, match="parent interaction 'none' does not exist"):
                await scene.submitted(parent_id="none")
            await scene.submitted(parent_id="0Z0000000000000A")  # of another node: not looked for
            children = [await scene.submitted(parent_id=parent) for _ in range(3)]
            await scene.media.interaction.stop(interaction_id=children[0])
            await scene.media.interaction.stop(interaction_id=parent)
            page = await scene.media.interaction.children(interaction_id=parent, limit=2)
            assert not page.complete
            rest = await scene.media.interaction.children(
                interaction_id=parent, continuation=page.continuation
            )
            found = [*page.interactions, *rest.interactions]
            assert sorted(i.interaction_id for i in found) == sorted(children)
            assert [i.state for i in found].count("stopped") == 1
            assert rest.complete

    run_virtual(scenario())


def test_a_reporting_client_changes_nothing() -> None:
    """not_allowed naming the role."""

    async def scenario() -> None:
        async with cast() as scene:
            reader = await scene.node.client("stat", "reporting")
            with pytest.raises(PacelineError, match="not reporting") as refused:
                await reader.interaction.submit(media_type="chat", queue="Chats")
            assert refused.value.name == "not_allowed"

    run_virtual(scenario())

"""InQueues and OutQueues: the queues that are suggested to the desktop for an interaction."""

from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import InteractionQueue
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from tests.acceptance.interaction.cast import START, VIEW, cast, data_of
from tests.fakes.site import running_node, small_site

IN, OUT = ("Chats", "E-mails"), ("E-mails",)
SUGGESTED: dict[str, Any] = {"in_queues": IN, "out_queues": OUT}


def _of(found: Any) -> tuple[Any, Any]:
    return found.in_queues, found.out_queues


def test_kept_and_returned_by_every_way_to_read() -> None:
    """Get, find, pull by a router, after a restart, and when it is finished."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            client = await node.client("chat")
            answer = await client.interaction.submit(media_type="chat", queue="Chats", **SUGGESTED)
            key = answer.interaction_id
            assert _of(await client.interaction.get(interaction_id=key)) == (IN, OUT)
            [found] = (await client.interaction.find()).interactions
            assert _of(found) == (IN, OUT)
        async with running_node(times, database=store, epoch=2) as node:
            router = await node.client("router", "router")
            [pulled] = (await router.view.pull(view=VIEW)).interactions
            assert _of(pulled) == (IN, OUT)
            await router.interaction.stop(interaction_id=key)
            assert _of(await router.interaction.get(interaction_id=key)) == (IN, OUT)
        await store.close()

    run_virtual(scenario())


def test_the_agent_gets_them_with_the_offer() -> None:
    """The invitation has both lists."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted(**SUGGESTED)
            await scene.router.view.pull(view=VIEW)
            await scene.router.interaction.deliver(interaction_id=key, agent="agent1")
            await scene.settle()
            assert _of(scene.heard1.last("invite").interaction) == (IN, OUT)

    run_virtual(scenario())


def test_a_change_is_told_to_the_agent_and_reported() -> None:
    """EventPropertiesChanged has the new lists; the one that was not named stays; an empty one clears."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled(**SUGGESTED)
            await scene.mark()
            await scene.media.interaction.change(interaction_id=key, in_queues=OUT)
            await scene.settle()
            assert _of(scene.heard1.last("properties_changed")) == (OUT, None)
            assert _of(await scene.media.interaction.get(interaction_id=key)) == (OUT, OUT)
            [event] = await scene.logged()
            assert data_of(event)["changed"] == ["in_queues"]
            assert data_of(event)["in_queues"] == list(OUT)
            await scene.media.interaction.change(interaction_id=key, in_queues=(), out_queues=())
            assert _of(await scene.media.interaction.get(interaction_id=key)) == ((), ())

    run_virtual(scenario())


def test_a_change_is_stored() -> None:
    """What was changed is there after a restart, also where it was not suggested at first."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            client = await node.client("chat")
            answer = await client.interaction.submit(media_type="chat", queue="Chats")
            key = answer.interaction_id
            await client.interaction.change(interaction_id=key, out_queues=OUT, priority=3)
        async with running_node(times, database=store, epoch=2) as node:
            client = await node.client("chat")
            found = await client.interaction.get(interaction_id=key)
            assert (*_of(found), found.priority) == ((), OUT, 3)
        await store.close()

    run_virtual(scenario())


def test_reported_with_the_submission() -> None:
    """EventInteractionSubmitted has them when there are any, and no such field otherwise."""

    async def scenario() -> None:
        async with cast() as scene:
            await scene.submitted(**SUGGESTED)
            await scene.submitted()
            first, second = await scene.logged()
            assert data_of(first)["out_queues"] == list(OUT)
            assert "in_queues" not in data_of(second)

    run_virtual(scenario())


@pytest.mark.parametrize("field", ["in_queues", "out_queues"])
def test_an_unknown_queue_is_named(field: str) -> None:
    """Submission and change are refused with the field, and nothing changes."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.mark()
            wrong: dict[str, Any] = {field: ("Chats", "Nowhere")}
            for refusal in (
                scene.submitted(**wrong),
                scene.media.interaction.change(interaction_id=key, priority=9, **wrong),
            ):
                with pytest.raises(PacelineError, match="Nowhere") as refused:
                    await refusal
                assert (refused.value.name, refused.value.field) == ("invalid_attribute", field)
            assert await scene.events() == []
            assert (await scene.media.interaction.get(interaction_id=key)).priority == 0

    run_virtual(scenario())


def test_a_renamed_queue_has_its_new_name() -> None:
    """Rows keep ids: the suggestion follows a rename, and a deleted queue is suggested no more."""

    async def scenario() -> None:
        def site(name: str | None) -> Any:
            found = small_site()
            if name is not None:
                found.add("scripts", name, InteractionQueue(business_process="Service"))
            return found

        async with cast(site=site("Later")) as scene:
            key = await scene.submitted(out_queues=("Later", "Chats"))
            for name, expected in (("Never", ("Never", "Chats")), (None, ("Chats",))):
                scene.node.configuration.change(site(name).build())
                found = await scene.media.interaction.get(interaction_id=key)
                assert found.out_queues == expected

    run_virtual(scenario())

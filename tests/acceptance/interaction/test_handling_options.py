"""Options of handling and routing: each with its default, its effect at the limit, and live."""

from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import BusinessAttribute
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.options import OPTIONS
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.wire.call import ANYONE, Call
from paceline.wire.operations.interaction import Pull
from tests.acceptance.interaction.cast import START, VIEW, Cast, cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import running_node, small_site

MINUTE = 60


def _site(**media: dict[str, Any]) -> SnapshotBuilder:
    site = small_site()
    annex = {name: {"settings": options} for name, options in media.items()}
    site.add(
        "business-attributes",
        "MediaType",
        BusinessAttribute(values=tuple(media), value_options=annex),
    )
    return site


async def _is_kept(scene: Cast, key: str, minutes: float) -> bool:
    await scene.settle(minutes * MINUTE)
    return await scene.state(key) == "handling"


def test_handling_timeout_is_looked_up_in_three_levels() -> None:
    """The user data key beats the media type's option, which beats the server's."""

    async def scenario() -> None:
        site = _site(chat={"handling-timeout": 20})
        options = {"settings": {"handling-timeout": 90}}
        async with cast(site=site, options=options) as scene:
            own = await scene.handled(user_data=msgspec.Raw(b'{"handling-timeout":"5"}'))
            medium = await scene.handled()
            await scene.media.interaction.submit(media_type="email", queue="Chats")
            server = (
                (await scene.desk1.view.pull(view=VIEW, agent="agent1"))
                .interactions[0]
                .interaction_id
            )
            assert await _is_kept(scene, own, 4.9)
            assert not await _is_kept(scene, own, 0.2)
            assert await _is_kept(scene, medium, 14.8)
            assert not await _is_kept(scene, medium, 0.3)
            assert await _is_kept(scene, server, 69)
            assert not await _is_kept(scene, server, 2)

    run_virtual(scenario())


@pytest.mark.parametrize("wrong", ["0", '"soon"', "[3]", "1441"])
def test_a_wrong_handling_timeout_in_the_user_data_is_ignored(wrong: str) -> None:
    """Out of range or no number: the next level decides."""

    async def scenario() -> None:
        async with cast(options={"settings": {"handling-timeout": 10}}) as scene:
            text = f'{{"handling-timeout":{wrong}}}'
            key = await scene.handled(user_data=msgspec.Raw(text.encode()))
            assert await _is_kept(scene, key, 9.9)
            assert not await _is_kept(scene, key, 0.2)

    run_virtual(scenario())


def test_a_handling_timeout_set_while_it_is_handled_counts_from_then() -> None:
    """A change of the key begins the time anew, with the new length."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.settle(100 * MINUTE)
            await scene.media.interaction.change(
                interaction_id=key, added={"handling-timeout": msgspec.Raw(b"3")}
            )
            assert await _is_kept(scene, key, 2.9)
            assert not await _is_kept(scene, key, 0.2)

    run_virtual(scenario())


def test_handling_timeout_is_taken_live_and_follows_business_time() -> None:
    """A shorter value ends what runs already; the default is 180 min."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            assert await _is_kept(scene, key, 100)
            settings: LiveSettings = scene.node.settings
            settings.update({"settings": {"handling-timeout": 60}})
            await scene.settle()
            assert await scene.state(key) == "queued"
        assert LiveSettings(OPTIONS).current.seconds("settings", "handling-timeout") == 180 * 60

    run_virtual(scenario())


def test_a_transfer_begins_the_handling_time_anew() -> None:
    """The one who took it over has the whole time."""

    async def scenario() -> None:
        async with cast(options={"settings": {"handling-timeout": 10}}) as scene:
            key = await scene.handled()
            await scene.settle(9.8 * MINUTE)
            asked = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            await scene.settle(0.4 * MINUTE)
            await scene.desk2.interaction.accept(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            assert await _is_kept(scene, key, 9.8)
            assert not await _is_kept(scene, key, 0.3)

    run_virtual(scenario())


def test_routing_timeout_returns_it_to_its_queue() -> None:
    """A router that is silent for 720 min loses it and is told; a ringing offer is not counted."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW, for_strategy=True)
            await scene.settle(300 * MINUTE)
            await scene.router.interaction.enter_virtual_queue(
                interaction_id=key, virtual_queue="Chat"
            )
            await scene.settle(419 * MINUTE)
            await scene.mark()
            await scene.settle(2 * MINUTE)
            assert await scene.events() == [
                "EventVirtualQueueCleared",
                "EventPartyRemoved",
                "EventPlacedInQueue",
            ]
            told = scene.heard_router.last("delivery_result")
            assert (told.outcome, told.reason) == ("revoked", "routing-timeout")
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_routing_timeout_goes_on_over_a_restart() -> None:
    """What was pulled over plain HTTP has no session that ends: only this timer frees it, also later."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        options = {"settings": {"routing-timeout": 20}}
        async with running_node(times, database=store, options=options) as node:
            media = await node.client("chat")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            call = Call(
                principal=ANYONE,
                tenant=1,
                client="http",
                client_kind="router",
                request_id="1",
                deadline=times.machine.monotonic() + 10,
            )
            await node.server.handlers["view.pull"](call, Pull(view=VIEW))
            await times.machine.sleep(15 * MINUTE)
        async with running_node(times, database=store, epoch=2, options=options) as node:
            media = await node.client("chat")
            await times.machine.sleep(4 * MINUTE)
            assert (await media.interaction.get(interaction_id=key)).state == "routing"
            await times.machine.sleep(2 * MINUTE)
            assert (await media.interaction.get(interaction_id=key)).state == "queued"

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("value", "media_server", "agent"),
    [("media-servers", True, False), ("none", False, False), ("all", True, True)],
)
def test_accept_disabled_media(value: str, media_server: bool, agent: bool) -> None:
    """Who may submit a disabled media type; refused is not_allowed, field media_type."""

    async def scenario() -> None:
        site = _site(fax={"enabled": False})
        async with cast(site=site, options={"settings": {"accept-disabled-media": value}}) as scene:
            for client, is_accepted in ((scene.media, media_server), (scene.desk1, agent)):
                try:
                    await client.interaction.submit(media_type="fax", queue="Chats", agent="agent1")
                except PacelineError as refused:
                    assert (refused.name, refused.field) == ("not_allowed", "media_type")
                    assert not is_accepted
                else:
                    assert is_accepted

    run_virtual(scenario())


def test_completed_queues_end_what_is_put_there() -> None:
    """Placed there it is finished: out of all views, found by id with the queue it ended in."""

    async def scenario() -> None:
        options = {"settings": {"completed-queues": "Done, E-mails"}}
        async with cast(options=options) as scene:
            key = await scene.handled()
            await scene.mark()
            answer = await scene.desk1.interaction.place_in_queue(
                interaction_id=key, queue="E-mails"
            )
            assert answer.state == "stopped"
            assert await scene.events() == [
                "EventPartyRemoved",
                "EventPlacedInQueue",
                "EventProcessingStopped",
            ]
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.state, found.queue, found.stop_reason) == (
                "stopped",
                "E-mails",
                "completed",
            )

    run_virtual(scenario())

"""A request for each operation of the Interaction Server that declares an idempotency key.

Each is made on a scene of its own, in which the operation can be done. An operation without one here
fails test_keys.py.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from paceline.model.configuration import BusinessProcess, Workbin
from paceline.sdk.interaction import InteractionServerClient
from paceline.wire.operation import Request
from paceline.wire.operations import agent, interaction, snapshot, topic, workbin
from tests.acceptance.interaction.cast import VIEW, Cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import small_site

DRAFTS = "Drafts"
CONTENT = msgspec.Raw(b'{"a":1}')


class Keyed(NamedTuple):
    """Who asks for what; `meanwhile` is what somebody else does while the first answer is awaited."""

    client: InteractionServerClient
    request: Request
    meanwhile: Callable[[], Awaitable[Any]] | None = None


def site_with_drafts() -> SnapshotBuilder:
    """The small site with a workbin of agents."""
    site = small_site()
    site.add("business-processes", "Back office", BusinessProcess())
    site.add("scripts", DRAFTS, Workbin(business_process="Back office", owner_type="agent"))
    return site


async def _routed(scene: Cast) -> str:
    key = await scene.submitted()
    await scene.router.view.pull(view=VIEW)
    return key


async def _submit(scene: Cast) -> Keyed:
    return Keyed(scene.media, interaction.Submit(media_type="chat", queue="Chats"))


async def _submit_batch(scene: Cast) -> Keyed:
    item = interaction.Submit(media_type="chat", queue="Chats")
    return Keyed(scene.media, interaction.SubmitBatch(interactions=(item, item)))


async def _change(scene: Cast) -> Keyed:
    key = await scene.submitted()
    return Keyed(
        scene.media, interaction.ChangeProperties(interaction_id=key, added={"a": CONTENT})
    )


async def _place_in_queue(scene: Cast) -> Keyed:
    key = await scene.handled()
    request = interaction.PlaceInQueue(interaction_id=key, queue="Chats", added={"a": CONTENT})
    return Keyed(scene.desk1, request)


async def _place_in_workbin(scene: Cast) -> Keyed:
    key = await scene.handled()
    request = workbin.PlaceInWorkbin(
        interaction_id=key, workbin=DRAFTS, owner="agent1", added={"a": CONTENT}
    )
    return Keyed(scene.desk1, request)


async def _deliver(scene: Cast) -> Keyed:
    key = await _routed(scene)
    return Keyed(scene.router, interaction.Deliver(interaction_id=key, agent="agent2"))


async def _reject(scene: Cast) -> Keyed:
    key = await _routed(scene)
    offer = await scene.router.interaction.deliver(interaction_id=key, agent="agent2")
    request = interaction.Reject(interaction_id=key, ticket=offer.ticket, agent="agent2")
    return Keyed(scene.desk2, request)


async def _revoke(scene: Cast) -> Keyed:
    key = await _routed(scene)
    await scene.router.interaction.deliver(interaction_id=key, agent="agent2")
    return Keyed(scene.router, interaction.Revoke(interaction_id=key))


async def _transfer(scene: Cast) -> Keyed:
    key = await scene.handled()
    request = interaction.Transfer(interaction_id=key, agent="agent1", to_agent="agent2")
    return Keyed(scene.desk1, request)


async def _conference(scene: Cast) -> Keyed:
    key = await scene.handled()
    request = interaction.Conference(interaction_id=key, agent="agent1", to_agent="agent2")
    return Keyed(scene.desk1, request)


async def _intrude(scene: Cast) -> Keyed:
    key = await scene.handled()

    async def let_in() -> None:
        await scene.settle()
        ticket = scene.heard1.last("invite").ticket
        await scene.desk1.interaction.accept(interaction_id=key, ticket=ticket, agent="agent1")

    request = interaction.Intrude(interaction_id=key, agent="agent2")
    return Keyed(scene.desk2, request, let_in)


async def _pull(scene: Cast) -> Keyed:
    for _ in range(3):
        await scene.submitted(user_data=CONTENT)
    return Keyed(scene.desk1, interaction.Pull(view=VIEW, agent="agent1", count=2))


async def _pull_from_workbin(scene: Cast) -> Keyed:
    for _ in range(3):
        key = await scene.submitted()
        await scene.media.interaction.place_in_workbin(
            interaction_id=key, workbin=DRAFTS, owner="agent1"
        )
    request = workbin.PullFromWorkbin(workbin=DRAFTS, owner="agent1", agent="agent1", count=2)
    return Keyed(scene.desk1, request)


async def _take(scene: Cast) -> Keyed:
    await scene.submitted()
    return Keyed(scene.desk1, snapshot.TakeSnapshot(view=VIEW, lock=True))


async def _move(scene: Cast) -> Keyed:
    await scene.submitted()
    taken = await scene.desk1.snapshot.take(view=VIEW)
    request = snapshot.MoveSnapshot(snapshot_id=taken.snapshot_id, queue="E-mails")
    return Keyed(scene.desk1, request)


async def _release(scene: Cast) -> Keyed:
    await scene.submitted()
    taken = await scene.desk1.snapshot.take(view=VIEW, lock=True)
    return Keyed(scene.desk1, snapshot.SnapshotRef(snapshot_id=taken.snapshot_id))


async def _add(scene: Cast) -> Keyed:
    return Keyed(scene.desk1, agent.MediaRef(agent="agent1", media="email"))


async def _remove(scene: Cast) -> Keyed:
    return Keyed(scene.desk1, agent.MediaRef(agent="agent1", media="chat"))


async def _ready(scene: Cast) -> Keyed:
    await scene.desk1.media.not_ready(agent="agent1", media="chat")
    return Keyed(scene.desk1, agent.MediaRef(agent="agent1", media="chat"))


async def _not_ready(scene: Cast) -> Keyed:
    return Keyed(scene.desk1, agent.MediaRef(agent="agent1", media="chat", reason="lunch"))


async def _reserve(scene: Cast) -> Keyed:
    key = await _routed(scene)
    return Keyed(scene.router, agent.Reserve(agent="agent2", interaction_id=key))


async def _publish(scene: Cast) -> Keyed:
    return Keyed(scene.media, topic.Publish(topic="news", content=CONTENT))


async def _distribute(scene: Cast) -> Keyed:
    return Keyed(scene.media, topic.DistributeEvent(event=7))


KEYED: dict[str, Callable[[Cast], Awaitable[Keyed]]] = {
    "interaction.submit": _submit,
    "interaction.submit_batch": _submit_batch,
    "interaction.change": _change,
    "interaction.place_in_queue": _place_in_queue,
    "interaction.place_in_workbin": _place_in_workbin,
    "interaction.deliver": _deliver,
    "interaction.reject": _reject,
    "interaction.revoke": _revoke,
    "interaction.transfer": _transfer,
    "interaction.conference": _conference,
    "interaction.intrude": _intrude,
    "view.pull": _pull,
    "workbin.pull": _pull_from_workbin,
    "snapshot.take": _take,
    "snapshot.move": _move,
    "snapshot.release": _release,
    "media.add": _add,
    "media.remove": _remove,
    "media.ready": _ready,
    "media.not_ready": _not_ready,
    "agent.reserve": _reserve,
    "topic.publish": _publish,
    "event.distribute": _distribute,
}

"""Views over workbins: for routers as over queues, for agents a way to look into the workbin of one owner."""

from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import View, Workbin
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operations.interaction import Pulled
from paceline.wire.operations.push import RouteRequest
from paceline.wire.operations.workbin import Content, Watch, WorkbinContentChanged
from tests.acceptance.interaction.cast import VIEW, Cast, cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import small_site

URGENT = "Urgent drafts"


def _site(**fields: Any) -> SnapshotBuilder:
    site = small_site()
    site.add("scripts", "Drafts", Workbin(business_process="Service"))
    view: dict[str, Any] = {"condition": "Priority > 0", "order": "Priority DESC"} | fields
    site.add("scripts", URGENT, View(business_process="Service", workbin="Drafts", **view))
    return site


async def _drafted(scene: Cast, owner: str = "agent1", **fields: Any) -> str:
    answer = await scene.media.interaction.submit(
        media_type="chat", queue="Chats", workbin="Drafts", owner=owner, **fields
    )
    return answer.interaction_id


def _ids(found: Pulled | Content) -> list[str]:
    return [item.interaction_id for item in found.interactions]


def test_a_router_pulls_what_the_view_selects_of_all_owners() -> None:
    """In the view's order; what the view does not select, and what is in queues, is not given."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            await scene.submitted(priority=9)
            low = await _drafted(scene, priority=1)
            high = await _drafted(scene, "agent2", priority=5)
            await _drafted(scene)
            [row] = [v for v in (await scene.media.view.list()).items if v.name == URGENT]
            assert (row.queue, row.depth) == ("Drafts/PrivateQueue", 2)
            assert _ids(await scene.router.view.pull(view=URGENT, count=5)) == [high, low]
            assert _ids(await scene.router.view.pull(view=URGENT)) == []

    run_virtual(scenario())


def test_events_and_notices_of_a_routers_pull_and_return() -> None:
    """Taken from the workbin and its queue; back in its owner's workbin when the router places it back."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            heard: list[WorkbinContentChanged] = []
            scene.desk1.workbin.subscribe(
                lambda: Watch(workbin="Drafts", owner="agent1"), heard.append
            )
            await scene.settle()
            key = await _drafted(scene, priority=1)
            await scene.mark()
            await scene.router.view.pull(view=URGENT)
            assert await scene.events() == [
                "EventTakenFromWorkbin",
                "EventTakenFromQueue",
                "EventPartyAdded",
            ]
            await scene.router.interaction.place_in_queue(interaction_id=key, queue="__BACK__")
            assert await scene.events() == [
                "EventPartyRemoved",
                "EventPlacedInWorkbin",
                "EventPlacedInQueue",
            ]
            assert [notice.change for notice in heard] == ["placed", "taken", "placed"]
            assert _ids(await scene.desk1.workbin.content(workbin="Drafts", owner="agent1")) == [
                key
            ]

    run_virtual(scenario())


def test_delivered_to_an_agent_it_is_in_no_workbin_and_returns_there() -> None:
    """A router delivers it like any other; an agent who has it too long loses it to the workbin."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            key = await _drafted(scene, "agent2", priority=1)
            await scene.router.view.pull(view=URGENT)
            offer = await scene.router.interaction.deliver(interaction_id=key, agent="agent1")
            await scene.desk1.interaction.accept(
                interaction_id=key, ticket=offer.ticket, agent="agent1"
            )
            assert _ids(await scene.media.workbin.content(workbin="Drafts", owner="agent2")) == []
            await scene.settle(181 * 60)
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.state, found.workbin, found.owner) == ("queued", "Drafts", "agent2")

    run_virtual(scenario())


def test_a_held_pull_wakes_when_something_is_placed() -> None:
    """A router that waits gets it at once; one that is pushed to gets the next."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            waiting = scene.router.view.pull(view=URGENT, hold_s=9)
            key = await _drafted(scene, priority=1)
            assert _ids(await waiting) == [key]
            pushed: list[RouteRequest] = []
            scene.router.connection.on_notice("router.route_request", pushed.append)
            await scene.router.router.attach(views=(URGENT,), credit=2)
            key = await _drafted(scene, priority=1)
            await scene.settle()
            assert [request.interaction.interaction_id for request in pushed] == [key]

    run_virtual(scenario())


def test_segments_count_over_a_workbin_too() -> None:
    """At most so many of each value are in routing at once."""

    async def scenario() -> None:
        async with cast(site=_site(segment_by="ExternalId", segment_limit=1)) as scene:
            keys = [
                await _drafted(scene, priority=9 - n, external_id=f"x{n // 2}") for n in range(4)
            ]
            assert _ids(await scene.router.view.pull(view=URGENT, count=4)) == [keys[0], keys[2]]
            await scene.router.interaction.stop(interaction_id=keys[0])
            assert _ids(await scene.router.view.pull(view=URGENT, count=4)) == [keys[1]]

    run_virtual(scenario())


@pytest.mark.parametrize("order", ["Priority DESC", ""])
def test_content_through_a_view(order: str) -> None:
    """Of one owner, what the view selects, in its order (or the default one); a condition narrows it."""

    async def scenario() -> None:
        async with cast(site=_site(order=order)) as scene:
            keys = [await _drafted(scene, priority=n) for n in (1, 3, 0, 2)]
            await _drafted(scene, "agent2", priority=9)
            expected = [keys[1], keys[3], keys[0]]
            seen: list[str] = []
            continuation = None
            for _ in range(2):
                page = await scene.desk1.workbin.content(
                    workbin="Drafts",
                    owner="agent1",
                    view=URGENT,
                    limit=2,
                    continuation=continuation,
                )
                seen += _ids(page)
                continuation = page.continuation
            assert (seen, continuation) == (expected, None)
            narrow = await scene.desk1.workbin.content(
                workbin="Drafts",
                owner="agent1",
                view=URGENT,
                condition="Priority < 3",
                order="Priority",
            )
            assert _ids(narrow) == [keys[0], keys[3]]

    run_virtual(scenario())


def test_an_agent_pulls_from_a_workbin_through_a_view() -> None:
    """The first ones of what the view selects of that owner; what it does not select is left out."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            keys = [await _drafted(scene, priority=n) for n in (1, 3, 0)]
            await _drafted(scene, "agent2", priority=9)
            bin_of: dict[str, Any] = {"workbin": "Drafts", "owner": "agent1", "agent": "agent1"}
            named = await scene.desk1.workbin.pull(
                view=URGENT, interaction_ids=(keys[2], keys[0]), **bin_of
            )
            assert _ids(named) == [keys[0]]
            assert _ids(await scene.desk1.workbin.pull(view=URGENT, count=5, **bin_of)) == [keys[1]]

    run_virtual(scenario())


def test_what_a_view_is_not_for() -> None:
    """An agent's pull from the view of all owners, and a workbin looked at through another's view."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            await _drafted(scene, priority=1)
            with pytest.raises(PacelineError, match=r"workbin\.pull") as refused:
                await scene.desk1.view.pull(view=URGENT, agent="agent1")
            assert (refused.value.name, refused.value.field) == ("not_allowed", "view")
            with pytest.raises(PacelineError) as refused:
                await scene.desk1.workbin.content(workbin="Drafts", owner="agent1", view=VIEW)
            assert (refused.value.name, refused.value.field) == ("invalid_attribute", "view")

    run_virtual(scenario())


def test_a_view_of_a_workbin_that_is_not_there_is_a_finding() -> None:
    """It gives nothing, and the server says why."""

    async def scenario() -> None:
        site = small_site()
        site.add("scripts", "Lost", View(business_process="Service", workbin="Nowhere"))
        async with cast(site=site) as scene:
            [finding] = scene.node.server.findings()
            assert (finding.field, "Nowhere" in finding.consequence) == ("workbin", True)

    run_virtual(scenario())

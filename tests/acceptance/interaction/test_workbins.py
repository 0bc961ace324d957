"""Workbins of the four owner types: placing, content, pulling, types, counts, notifications."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, BusinessProcess, PlaceGroup, Workbin
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operations.workbin import Watch, WorkbinContentChanged
from tests.acceptance.interaction.cast import VIEW, Cast, cast, data_of
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import small_site

OWNERS = {
    "agent": "agent1",
    "agent_group": "Chat agents",
    "place": "place1",
    "place_group": "First floor",
}


def _site() -> SnapshotBuilder:
    site = small_site()
    site.add("place-groups", "First floor", PlaceGroup(places=("place1", "place2")))
    site.add("agent-groups", "Nobody", AgentGroup())
    site.add("business-processes", "Back office", BusinessProcess())
    for owner_type in OWNERS:
        body = Workbin(business_process="Back office", owner_type=owner_type)  # type: ignore[arg-type]
        site.add("scripts", f"Drafts of {owner_type}", body)
    return site


async def _parked(scene: Cast, owner_type: str = "agent", **fields: object) -> str:
    key = await scene.submitted(**fields)
    await scene.media.interaction.place_in_workbin(
        interaction_id=key, workbin=f"Drafts of {owner_type}", owner=OWNERS[owner_type]
    )
    return key


@pytest.mark.parametrize("owner_type", OWNERS)
def test_place_in_workbin_of_each_owner_type(owner_type: str) -> None:
    """EventPlacedInWorkbin and EventPlacedInQueue of its private queue; the content shows it."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            key = await scene.handled()
            await scene.mark()
            workbin, owner = f"Drafts of {owner_type}", OWNERS[owner_type]
            for _ in range(2):  # where it is already: nothing happens
                answer = await scene.desk1.interaction.place_in_workbin(
                    interaction_id=key, workbin=workbin, owner=owner
                )
                assert answer.state == "queued"
            logged = await scene.logged()
            assert sorted(e.name for e in logged) == [
                "EventPartyRemoved",
                "EventPlacedInQueue",
                "EventPlacedInWorkbin",
            ]
            placed = next(e for e in logged if e.name == "EventPlacedInWorkbin")
            assert placed.queue == f"{workbin}/PrivateQueue"
            assert data_of(placed)["owner_type"] == owner_type
            assert data_of(placed)["owner"] == owner
            content = await scene.desk1.workbin.content(
                workbin=workbin,
                owner=owner,
                owner_type=owner_type,  # type: ignore[arg-type]
            )
            assert [(i.interaction_id, i.workbin, i.owner) for i in content.interactions] == [
                (key, workbin, owner)
            ]
            assert (await scene.router.view.pull(view=VIEW)).interactions == ()

    run_virtual(scenario())


def test_an_agent_pulls_from_a_workbin() -> None:
    """EventTakenFromWorkbin, EventTakenFromQueue, EventPartyAdded; back and timeout return it there."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            first, second = await _parked(scene), await _parked(scene)
            await scene.mark()
            pulled = await scene.desk1.workbin.pull(
                workbin="Drafts of agent", owner="agent1", agent="agent1", interaction_ids=(second,)
            )
            assert [i.interaction_id for i in pulled.interactions] == [second]
            assert await scene.events() == [
                "EventTakenFromWorkbin",
                "EventTakenFromQueue",
                "EventPartyAdded",
            ]
            await scene.desk1.interaction.place_in_queue(interaction_id=second, queue="__BACK__")
            assert await scene.events() == [
                "EventPartyRemoved",
                "EventPlacedInWorkbin",
                "EventPlacedInQueue",
            ]
            both = await scene.desk1.workbin.pull(
                workbin="Drafts of agent", owner="agent1", agent="agent1", count=5
            )
            assert [i.interaction_id for i in both.interactions] == [first, second]
            await scene.settle(181 * 60)
            content = await scene.desk1.workbin.content(workbin="Drafts of agent", owner="agent1")
            assert len(content.interactions) == 2
            await scene.desk1.interaction.place_in_queue(interaction_id=first, queue="Chats")
            found = await scene.media.interaction.get(interaction_id=first)
            assert (found.queue, found.workbin, found.owner) == ("Chats", None, None)

    run_virtual(scenario())


def test_a_deleted_workbin_tells_nobody_and_lets_its_content_go() -> None:
    """What is left in a workbin that the configuration has no more can be ended; subscribers stay connected."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            heard: list[WorkbinContentChanged] = []
            scene.desk1.workbin.subscribe(
                lambda: Watch(workbin="Drafts of agent", owner="agent1"), heard.append
            )
            await scene.settle()
            key = await _parked(scene)
            left = [o for o in _site().build().objects.values() if o.name != "Drafts of agent"]
            scene.node.configuration.change(ConfigurationSnapshot(left))
            changes: list[bool] = []
            scene.desk1.connection.watch_connection(changes.append)
            await scene.mark()
            await scene.media.interaction.stop(interaction_id=key)
            await scene.settle()
            assert "EventProcessingStopped" in await scene.events()
            assert [notice.change for notice in heard] == ["placed"]
            assert changes == [], "a notice that nobody can read ended the connection"

    run_virtual(scenario())


def test_subscribers_are_told_once_each_and_others_not() -> None:
    """EventWorkbinContentChanged for what enters and leaves: one notice per subscriber of this workbin."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            heard: dict[str, list[WorkbinContentChanged]] = {"own": [], "group": []}
            watching = scene.desk1.workbin.subscribe(
                lambda: Watch(workbin="Drafts of agent", owner="agent1"), heard["own"].append
            )
            scene.desk2.workbin.subscribe(
                lambda: Watch(workbin="Drafts of agent_group", owner="Chat agents"),
                heard["group"].append,
            )
            await scene.settle()
            key = await _parked(scene)
            await scene.desk1.workbin.pull(
                workbin="Drafts of agent", owner="agent1", agent="agent1"
            )
            await scene.desk1.interaction.place_in_workbin(
                interaction_id=key, workbin="Drafts of agent_group", owner="Chat agents"
            )
            await scene.media.interaction.stop(interaction_id=key)
            await scene.settle()
            assert [(n.interaction_id, n.change) for n in heard["own"]] == [
                (key, "placed"),
                (key, "taken"),
            ]
            assert [(n.workbin, n.change) for n in heard["group"]] == [
                ("Drafts of agent_group", "placed"),
                ("Drafts of agent_group", "taken"),
            ]
            watching.close()
            await scene.desk1.workbin.stop_stream(subscription=1)
            await _parked(scene)
            await scene.settle()
            assert len(heard["own"]) == 2

    run_virtual(scenario())


def test_content_in_order_filtered_and_page_by_page() -> None:
    """Each once, in the order asked for, though others come and go between the pages."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            keys = [
                await _parked(scene, priority=n % 3, external_id=f"x{n % 4}") for n in range(12)
            ]
            seen: list[tuple[str | None, int]] = []
            continuation = None
            for turn in range(9):
                page = await scene.desk1.workbin.content(
                    workbin="Drafts of agent",
                    owner="agent1",
                    condition="Priority > 0",
                    order="ExternalId DESC, Priority",
                    limit=2,
                    continuation=continuation,
                )
                seen += [(i.external_id, i.priority) for i in page.interactions]
                continuation = page.continuation
                if continuation is None:
                    break
                await scene.media.interaction.stop(interaction_id=keys[3 * turn])  # priority 0
            assert len(seen) == 8
            assert seen == sorted(seen, key=lambda found: (-int((found[0] or "")[1:]), found[1]))

    run_virtual(scenario())


def test_max_interactions_per_workbin_content() -> None:
    """The smaller of the request's number and the option, taken live; default 500."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            for _ in range(5):
                await _parked(scene)
            option = "max-interactions-per-workbin-content"
            assert scene.node.settings.current.integer("settings", option) == 500
            scene.node.settings.update({"settings": {option: 3}})
            for limit, expected in ((10, 3), (2, 2)):
                page = await scene.desk1.workbin.content(
                    workbin="Drafts of agent", owner="agent1", limit=limit
                )
                assert len(page.interactions) == expected
                assert not page.complete

    run_virtual(scenario())


def test_types_and_statistics() -> None:
    """Every workbin with its owner type, queue and depth; an agent's counts over all it may use."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            for owner_type in ("agent", "agent", "place_group", "agent_group"):
                await _parked(scene, owner_type)
            listed = (await scene.media.workbin.list()).items
            assert [(w.name, w.owner_type, w.depth) for w in listed] == [
                ("Drafts of agent", "agent", 2),
                ("Drafts of agent_group", "agent_group", 1),
                ("Drafts of place", "place", 0),
                ("Drafts of place_group", "place_group", 1),
            ]
            assert listed[0].queue == "Drafts of agent/PrivateQueue"
            mine = (await scene.desk1.workbin.statistics(agent="agent1")).items
            assert [(c.workbin, c.depth) for c in mine] == [
                ("Drafts of agent", 2),
                ("Drafts of agent_group", 1),
                ("Drafts of place_group", 1),
            ]
            others = (await scene.desk2.workbin.statistics(agent="agent2")).items  # at no place
            assert [c.workbin for c in others] == ["Drafts of agent_group"]

    run_virtual(scenario())


def test_an_unknown_workbin_or_owner_is_named() -> None:
    """EventError if the owner or the workbin is unknown, or of another type."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            for workbin, owner, field in (
                ("None", "agent1", "workbin"),
                ("Drafts of agent", "nobody", "owner"),
                ("Drafts of place", "agent1", "owner"),
            ):
                with pytest.raises(PacelineError) as refused:
                    await scene.desk1.workbin.content(workbin=workbin, owner=owner)
                assert (refused.value.name, refused.value.field) == ("invalid_attribute", field)

    run_virtual(scenario())


def test_submission_into_a_workbin() -> None:
    """A submission that names a workbin and its owner is there at once, with all its events."""

    async def scenario() -> None:
        async with cast(site=_site()) as scene:
            answer = await scene.media.interaction.submit(
                media_type="chat", queue="Chats", workbin="Drafts of place", owner="place1",
                user_data=msgspec.Raw(b'{"a":1}'),
            )  # fmt: skip
            assert answer.state == "queued"
            assert await scene.events() == [
                "EventInteractionSubmitted",
                "EventPlacedInWorkbin",
                "EventPlacedInQueue",
            ]
            content = await scene.media.workbin.content(workbin="Drafts of place", owner="place1")
            assert len(content.interactions) == 1

    run_virtual(scenario())

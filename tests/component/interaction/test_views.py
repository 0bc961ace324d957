"""What the node's views keep in memory, and what they do while the configuration changes."""

from paceline.model.configuration import View, Workbin
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.live.views import Views
from paceline.servers.interaction.rules.custom_values import CustomValues
from paceline.units.quantities import Millis
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import running_node, small_site

START = Millis(1_000_000_000_000)


def _site(**fields: object) -> SnapshotBuilder:
    site = small_site()
    view = View(business_process="Service", queue="Chats", **fields)  # type: ignore[arg-type]  # as the test names them
    site.add("scripts", "Own view", view)
    return site


def test_what_waited_in_vain_is_forgotten() -> None:
    """An arrival that nobody waits for any more takes no memory, without anything ever arriving."""

    async def scenario() -> None:
        times = virtual_times(START)
        views = Views(10)
        for _ in range(3):
            views.arrival(7).cancel()
        await times.machine.sleep(0)
        assert views._waiting == {}

    run_virtual(scenario())


def test_unchanged_views_keep_their_heads() -> None:
    """A change elsewhere makes no head anew; a changed view, or a new id behind a name, does."""
    views, custom = Views(10), CustomValues()
    views.configure(_site(condition="Queue = 'Chats'").build(), custom)
    before = views.named(1, "Own view")
    views.configure(_site(condition="Queue = 'Chats'").build(), custom)
    assert views.named(1, "Own view") is before
    views.configure(_site(condition="Queue = 'Chats'", check_interval=5).build(), custom)
    checked = views.named(1, "Own view")
    assert checked is not before
    assert views.current(before) is checked


def test_a_condition_names_a_workbin() -> None:
    """Workbins are known by name as queues and agents are; one that does not exist is a finding."""
    site = _site(condition="Workbin = 'Later'")
    site.add("scripts", "Later", Workbin(business_process="Service"))
    views = Views(10)
    views.configure(site.build(), CustomValues())
    assert views.findings == []
    views.configure(_site(condition="Workbin = 'Later'").build(), CustomValues())
    assert "workbin 'Later' does not exist" in views.findings[0].consequence


def test_a_pull_that_waits_goes_by_the_changed_view() -> None:
    """A view whose condition changes while a pull waits gives what the new condition selects."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times, site=_site(condition="Priority > 5")) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            sent = await media.interaction.submit(media_type="chat", queue="Chats", priority=1)
            held = router.view.pull(view="Own view", hold_s=9)
            await times.machine.sleep(1)
            node.configuration.change(_site(condition="Priority < 5").build())
            (got,) = (await held).interactions
            assert got.interaction_id == sent.interaction_id
            assert times.business.now() - START < 2_000
            held = router.view.pull(view="Own view", hold_s=9)
            await times.machine.sleep(1)
            await media.interaction.submit(media_type="chat", queue="Chats", priority=1)
            assert len((await held).interactions) == 1

    run_virtual(scenario())

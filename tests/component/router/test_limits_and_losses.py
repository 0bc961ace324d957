"""Credit, mistakes in the configuration, and neighbours that go away and come back."""

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Strategy, View
from paceline.runtime.virtual_loop import run_virtual
from tests.component.router.neighbours import interaction
from tests.component.router.site import chat_site, running_site


def test_no_more_is_held_than_the_credit() -> None:
    """The next is pulled only when one is held no longer."""

    async def run() -> None:
        async with running_site(credit=3) as site:
            site.interactions.submit("all chats", *(interaction(f"i{n}") for n in range(5)))
            await site.pass_s(60)
            assert len(site.interactions.owned) == 3
            site.interactions.answer("i1", "abandoned")
            await site.pass_s()
            assert set(site.interactions.owned) == {"i0", "i2", "i3"}

    run_virtual(run())


def test_views_share_the_credit() -> None:
    """A view without agents does not keep the work of another from its agents."""

    async def run() -> None:
        builder = chat_site()
        builder.add("scripts", "all mails", View(business_process="p", queue="chats"))
        mails = Strategy(business_process="p", views=("all mails",), virtual_queue="Mail")
        builder.add("scripts", "route mails", mails)
        async with running_site(builder, credit=4) as site:
            site.interactions.submit("all chats", *(interaction(f"c{n}") for n in range(9)))
            mail = interaction("m", media_type="email")
            site.interactions.submit("all mails", mail)
            site.statistics.show("Mail agents", "ana", media="email")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("m", "ana")]
            assert len(site.interactions.owned) == 3

    run_virtual(run())


def test_what_cannot_be_routed_is_held_for_a_pause_and_placed_back() -> None:
    """No hot loop, a finding that names strategy, field and medium, and the rest goes on."""

    async def run() -> None:
        async with running_site(problem_pause="10s") as site:
            voice = interaction("v", media_type="voice")
            site.interactions.submit("all chats", voice, interaction("a"))
            site.statistics.show("Chat agents", "ana")
            await site.pass_s(5)
            assert site.interactions.done("deliver") == [("a", "ana")]
            assert site.interactions.done("place") == []
            await site.pass_s(96)
            assert site.interactions.done("place") == [("v", "__BACK__")] * 10
            [finding] = site.router.findings()
            assert finding.object == "strategy 'route chats'"
            assert finding.field == "virtual_queue"
            assert "is for chat, the interaction is voice" in finding.consequence
            assert (await site.strategies()).items[0].problem == finding.consequence

    run_virtual(run())


def test_a_view_that_is_refused_is_left_alone_for_a_pause() -> None:
    """The finding stands while it is refused and goes when it has healed."""

    async def run() -> None:
        async with running_site(problem_pause="10s") as site:
            site.interactions.refuse["pull"] = [PacelineError("not_allowed", "no", field="view")]
            await site.pass_s(10)
            before = len(site.interactions.pulls)
            [finding] = site.router.findings()
            assert (finding.object, finding.field) == ("view 'all chats'", "view")
            await site.pass_s(9.9)
            assert len(site.interactions.pulls) == before
            await site.pass_s(11)
            assert site.router.findings() == ()

    run_virtual(run())


def test_a_refused_virtual_queue_sends_the_interaction_back() -> None:
    """It is named, and pulled again after the pause."""

    async def run() -> None:
        async with running_site(problem_pause="10s") as site:
            refused = PacelineError("invalid_attribute", "unknown", field="virtual_queue")
            site.interactions.refuse["enter"] = [refused]
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s(9)
            assert site.router.findings()[0].object == "virtual queue 'Chat'"
            await site.pass_s(2)
            assert site.interactions.journal == [("place", "a", "__BACK__"), ("enter", "a", "Chat")]

    run_virtual(run())


def test_a_lost_interaction_server_link_loses_nothing() -> None:
    """All that was held is forgotten, pulled again in the new session and delivered."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b", submit_seq=1))
            await site.pass_s()
            assert site.interactions.ringing == {"a": "ana"}
            await site.break_interaction_link()
            await site.pass_s(5)
            assert site.interactions.ringing == {"a": "ana"}
            assert set(site.interactions.owned) == {"a", "b"}
            rows = {row.number: row for row in (await site.virtual_queues()).items}
            assert (rows["Chat"].waiting, rows["Chat"].ringing) == (1, 1)

    run_virtual(run())


def test_without_the_stat_server_everything_waits() -> None:
    """Nothing is delivered on old states; after the reconnect the full states decide."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.statistics.show("Chat agents", "bob")
            await site.pass_s()
            await site.break_stat_link()
            await site.pass_s(0.001)
            del site.statistics.states["Chat agents"]["ana"]
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s(0.01)
            assert site.interactions.done("deliver") == []
            assert any("Stat Server is away" in f.consequence for f in site.router.findings())
            await site.pass_s(5)
            assert site.interactions.done("deliver") == [("a", "bob")]
            assert site.router.findings() == ()

    run_virtual(run())


def test_an_agent_group_the_stat_server_does_not_know_is_asked_for_again() -> None:
    """The finding names the group; when it is known its agents get work."""

    async def run() -> None:
        builder = chat_site()
        async with running_site(builder, problem_pause="10s") as site:
            site.statistics.unknown.add("Chat agents")
            site.statistics.opened.clear()
            await site.break_stat_link()
            await site.pass_s(5)
            [finding] = site.router.findings()
            assert finding.object == "agent group 'Chat agents'"
            site.statistics.unknown.clear()
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s(10)
            assert site.interactions.done("deliver") == [("a", "ana")]
            assert site.router.findings() == ()

    run_virtual(run())


def test_configuration_changes_take_effect_at_once() -> None:
    """A new group for what waits already, and a view no longer pulled from."""

    async def run() -> None:
        builder = chat_site()
        async with running_site(builder) as site:
            site.statistics.show("Mail agents", "ana")
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            assert site.interactions.done("deliver") == []
            mail_agents = 9
            builder.replace(mail_agents, origination_dns=("Mail", "Chat@main"))
            site.reconfigure()
            await site.pass_s()
            assert site.interactions.done("deliver") == [("a", "ana")]
            strategy = 3
            builder.replace(strategy, views=())
            site.reconfigure()
            site.interactions.submit("all chats", interaction("b"))
            await site.pass_s(60)
            assert [name for name, _ in site.interactions.done("enter")] == ["a"]

    run_virtual(run())


def test_agents_without_capacity_are_named_while_work_waits_for_them() -> None:
    """The classic: logged in for chat, and no capacity rule lets them take one."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana", maximum=0)
            await site.pass_s()
            assert site.router.findings() == ()
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            [finding] = site.router.findings()
            assert finding.field == "capacity_rule"
            assert "ana" in finding.consequence

    run_virtual(run())


def test_lists_come_page_by_page() -> None:
    """By name, continued after the last one; a limit out of range names the field."""

    async def run() -> None:
        async with running_site() as site:
            first = await site.virtual_queues(limit=2)
            assert [row.number for row in first.items] == ["Chat", "Mail"]
            assert first.complete is False
            rest = await site.virtual_queues(limit=2, continuation=first.continuation)
            assert [row.number for row in rest.items] == ["Proactive"]
            assert rest.complete and rest.continuation is None
            assert rest.items[0].agent_groups == ("Proactive agents",)
            try:
                await site.strategies(limit=0)
            except PacelineError as refused:
                assert refused.field == "limit"
            else:
                raise AssertionError("limit 0 was taken")

    run_virtual(run())


def test_stopping_in_the_middle_leaves_nothing_running() -> None:
    """Held pulls, waiting interactions and rings do not keep the router from stopping."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b"))
            await site.pass_s()
            await site.router.stop()
            site.interactions.answer("a", "accepted")
            site.statistics.show("Chat agents", "bob")
            await site.pass_s(60)
            assert len(site.interactions.done("deliver")) == 1

    run_virtual(run())

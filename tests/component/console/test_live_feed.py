"""The picture: what servers answer is on it within a second, and one that is away harms only its own part."""

from typing import Any

import msgspec

from paceline.model import events
from paceline.model.configuration import AgentGroup
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.console.rules.events import IN_WORDS, OF_AGENTS, OF_STRATEGIES
from paceline.wire.operations.configuration import ApplicationStatus
from paceline.wire.operations.everywhere import FindingRow
from paceline.wire.operations.interaction import QueueRow
from paceline.wire.operations.message import Alarm
from paceline.wire.operations.router import VirtualQueueRow
from paceline.wire.operations.statistic import AgentTargetState, TargetState
from tests.component.console.site import FakeSite, Opened, happened, media, opened, people, target


async def next_picture(browser: Opened) -> dict[str, Any]:
    """The picture after everything was asked once more."""
    await browser.times.machine.sleep(2.5)
    return await browser.picture()


def alarm(number: int, *, cleared_at: str | None = None) -> Alarm:
    """An alarm of the pacing request."""
    return Alarm(
        id=number,
        condition="Pacing request refused",
        category="critical",
        application="pacing-1",
        subject="pacing-cluster",
        text="the engine answered 503",
        detected_at="2023-11-14T22:13:20.000Z",
        cleared_at=cleared_at,
    )


def test_all_figures_of_the_site_are_on_the_picture() -> None:
    """Targets, cluster, queues, virtual queues, alarms, servers, findings with who told them."""
    finding = FindingRow(object="queue 'A'", field="x", consequence="y", fix="z")
    site = FakeSite(
        queues=[QueueRow(name="Chats", depth=2, business_process="Bank")],
        virtual_queues=[VirtualQueueRow(number="Proactive Chat", waiting=1, ringing=0)],
        alarms=[alarm(3), alarm(2, cleared_at="2023-11-14T22:14:20.000Z")],
        statuses=[
            ApplicationStatus(
                application="router", application_type="router", status="started", mode="primary"
            )
        ],
        findings={"pacing": [finding], "router": [finding]},
    )

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            picture = await next_picture(browser)
            assert [row["permits"] for row in picture["targets"]] == [3]
            cluster = picture["site"]["cluster"]
            assert (cluster["epoch"], cluster["nodes"][0]["name"]) == (4, "pacing-1")
            assert [row["depth"] for row in picture["queues"]] == [2]
            assert [row["waiting"] for row in picture["virtual_queues"]] == [1]
            assert [row["id"] for row in picture["alarms"]] == [3, 2]
            assert [row["status"] for row in picture["servers"]] == ["started"]
            assert [row["told_by"] for row in picture["findings"]] == [["Router", "Pacing Server"]]
            assert all(state["problem"] is None for state in picture["sections"].values())
            site.targets[0] = target("Proactive Chat", permits=7)
            picture = await next_picture(browser)
            assert [row["permits"] for row in picture["targets"]] == [7]

    run_virtual(main())


def test_agents_are_counted_by_group_and_medium() -> None:
    """Ready may get more, busy is full, not ready is neither; an agent of two groups counts once in all."""
    anna = AgentTargetState(agent="anna", media={"chat": media(1, ready=True)})
    bert = AgentTargetState(
        agent="bert", media={"chat": media(0, ready=True), "email": media(0, ready=False)}
    )
    carl = AgentTargetState(agent="carl", media={"chat": media(2, ready=True, maximum=3)})
    site = FakeSite(
        states={
            "Chat agents": TargetState(agents=(anna, bert)),
            "Night, late": TargetState(agents=(bert, carl)),
            "Chat agents,Night\\, late": TargetState(agents=(anna, bert, carl)),
        }
    )

    async def main() -> None:
        async with opened(site) as browser:
            builder = people()
            builder.add("agent-groups", "Night, late", AgentGroup(origination_dns=("X",)))
            builder.add("agent-groups", "Back office", AgentGroup())
            browser.configuration.change(builder.build())
            await browser.log_in()
            rows = {
                (row["group"], row["media_type"]): [
                    row[name] for name in ("ready", "busy", "not_ready", "handling")
                ]
                for row in (await next_picture(browser))["agents"]
            }
            assert rows == {
                (None, "chat"): [2, 1, 0, 3],
                (None, "email"): [0, 0, 1, 0],
                ("Chat agents", "chat"): [1, 1, 0, 1],
                ("Chat agents", "email"): [0, 0, 1, 0],
                ("Night, late", "chat"): [2, 0, 0, 2],
                ("Night, late", "email"): [0, 0, 1, 0],
            }

    run_virtual(main())


def test_statistics_are_opened_anew_when_they_are_forgotten() -> None:
    """After a restart of the Stat Server the agents come back by themselves; until then they are once opened."""
    anna = AgentTargetState(agent="anna", media={"chat": media(0, ready=True)})
    site = FakeSite(states={"Chat agents": TargetState(agents=(anna,))})

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            await browser.times.machine.sleep(30)
            assert site.opened == 1
            site.forget_statistics()
            await browser.times.machine.sleep(3)
            picture = await browser.picture()
            assert site.opened == 2
            assert picture["sections"]["agents"]["problem"] is None
            assert len(picture["agents"]) == 1
            site.is_live = False
            picture = await next_picture(browser)
            assert "catching up" in picture["sections"]["agents"]["problem"]

    run_virtual(main())


def test_a_server_that_refuses_leaves_its_last_figures_and_says_so() -> None:
    """Only its own section has a problem, with the age of the figures; all others go on."""
    site = FakeSite()

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            await next_picture(browser)
            site.refused = {"target.list"}
            await browser.times.machine.sleep(10)
            picture = await browser.picture()
            state = picture["sections"]["pacing"]
            assert "the Pacing Server cannot be read: target.list is broken" in state["problem"]
            assert 9 <= state["age_s"] <= 12
            assert [row["permits"] for row in picture["targets"]] == [3]
            others = {k: v for k, v in picture["sections"].items() if k != "pacing"}
            assert all(v["problem"] is None and v["age_s"] < 2 for v in others.values())
            site.refused = set()
            picture = await next_picture(browser)
            assert picture["sections"]["pacing"]["problem"] is None

    run_virtual(main())


def test_a_server_that_is_away_is_named_and_is_a_finding() -> None:
    """A broken link and a connection that was never configured; the picture goes on each second."""

    async def main() -> None:
        async with opened(without=frozenset({"engagement"})) as browser:
            await browser.log_in()
            before = (await next_picture(browser))["number"]
            await browser.served["pacing"].close()
            await browser.times.machine.sleep(10)
            picture = await browser.picture()
            assert picture["number"] >= before + 9
            sections = picture["sections"]
            assert sections["pacing"]["problem"].startswith("the Pacing Server is away")
            assert "no connection to the engagement engine" in sections["engagement"]["problem"]
            assert sections["queues"]["problem"] is None
            told = {row["consequence"]: row["fix"] for row in picture["findings"]}
            assert len(told) == 2
            assert any("start the Pacing Server" in fix for fix in told.values())
            assert len(browser.console.findings()) == 2

    run_virtual(main())


def test_the_last_events_newest_first() -> None:
    """Fifty at most, in words, as soon as they are committed; an unknown one by its name."""
    site = FakeSite()

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            await next_picture(browser)
            many = [happened(n, events.INTERACTION_SUBMITTED, queue="Chats") for n in range(1, 60)]
            party = {"party": "agent", "media_type": "chat"}
            site.tell(
                *many,
                happened(60, events.PARTY_ADDED, agent="anna", data=party),
                happened(61, "EventSomethingNew", data={"media_type": 5}),
            )
            lines = (await next_picture(browser))["events"]
            assert len(lines) == 50
            assert [line["what"] for line in lines[:3]] == [
                "something new",
                "agent handles it",
                "submitted",
            ]
            assert (lines[1]["agent"], lines[1]["media_type"]) == ("anna", "chat")
            assert lines[2]["where"] == "Chats"

    run_virtual(main())


def test_every_reporting_event_has_words() -> None:
    """No documented event is shown by its bare name."""
    names = {value for value in vars(events).values() if str(value).startswith("Event")}
    assert names == set(IN_WORDS) | set(OF_AGENTS)
    assert set(OF_AGENTS) == set(OF_STRATEGIES)


def test_the_same_picture_is_sent_once() -> None:
    """A browser that has this second's picture gets 304, a second later the next one."""

    async def main() -> None:
        async with opened() as browser:
            await browser.log_in()
            await browser.times.machine.sleep(0.5)
            first = await browser.ask("GET", "/live.json")
            tag = {"if-none-match": first.headers["etag"]}
            assert (await browser.ask("GET", "/live.json", headers=tag)).status == 304
            await browser.times.machine.sleep(1.01)
            assert (await browser.ask("GET", "/live.json", headers=tag)).status == 200

    run_virtual(main())


def test_trails_reach_back_two_minutes_with_gaps() -> None:
    """Permits of each picture while the Pacing Server answers, nothing while it does not."""
    site = FakeSite()

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            await browser.times.machine.sleep(200)
            site.refused = {"target.list"}
            await browser.times.machine.sleep(30)
            answer = msgspec.json.decode((await browser.ask("GET", "/trails.json")).body)
            trail = answer["trails"]["Proactive Chat - chat"]
            assert len(trail) == 120
            assert trail[0] == 3
            assert 22 <= trail.count(None) <= 28
            assert trail[-1] is None

    run_virtual(main())


def test_a_list_that_is_cut_says_so() -> None:
    """The page names lists of which it has only the first rows."""
    site = FakeSite()

    async def main() -> None:
        async with opened(site) as browser:
            await browser.log_in()
            assert (await next_picture(browser))["incomplete"] == []
            many = [FindingRow(object=str(n), field="", consequence="", fix="") for n in range(300)]
            site.findings["router"] = many
            await browser.times.machine.sleep(6)
            picture = await browser.picture()
            assert picture["incomplete"] == ["findings"]
            assert len(picture["findings"]) == 200

    run_virtual(main())

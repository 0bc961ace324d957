"""From the view to the agent: choice of agent and order, offers and their ends."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from tests.component.router.neighbours import interaction
from tests.component.router.site import chat_site, running_site

PROACTIVE = msgspec.Raw(b'{"Proactive":"1","PacingVirtualQueue":"Proactive"}')


def test_an_interaction_enters_its_virtual_queue_and_goes_to_the_agent_ready_longest() -> None:
    """First the virtual queue of the strategy, then one offer, to the oldest ready_since."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana", since="2026-01-31T07:59:00.000Z")
            site.statistics.show("Chat agents", "bob", since="2026-01-31T07:58:00.000Z")
            await site.pass_s()
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            assert site.interactions.journal == [("enter", "a", "Chat"), ("deliver", "a", "bob")]

    run_virtual(run())


def test_what_waits_is_offered_in_order_when_agents_become_available() -> None:
    """Higher priority first, then older, then earlier submitted, whatever came first."""

    async def run() -> None:
        async with running_site() as site:
            site.interactions.submit("all chats", interaction("late", submit_seq=9))
            await site.pass_s()
            site.interactions.submit(
                "all chats",
                interaction("urgent", priority=5, submit_seq=11),
                interaction("early", submit_seq=2),
                interaction("older", received_at="2026-01-31T07:00:00.000Z", submit_seq=10),
            )
            await site.pass_s()
            for name in ("a1", "a2", "a3", "a4"):
                site.statistics.show("Chat agents", name)
                await site.pass_s()
            offered = [name for name, _ in site.interactions.done("deliver")]
            assert offered == ["urgent", "older", "early", "late"]

    run_virtual(run())


def test_a_view_with_an_order_of_its_own_keeps_it() -> None:
    """What was pulled first is offered first, whatever its priority."""

    async def run() -> None:
        builder = chat_site()
        builder.replace(2, order="Priority asc")
        async with running_site(builder) as site:
            site.interactions.submit(
                "all chats", interaction("low"), interaction("high", priority=9)
            )
            await site.pass_s()
            site.statistics.show("Chat agents", "ana")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("low", "ana")]

    run_virtual(run())


def test_a_proactive_interaction_goes_to_its_own_queue_and_groups() -> None:
    """The key decides; an agent of the strategy's queue who is ready longer is not asked."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            await site.pass_s()
            site.interactions.submit("all chats", interaction("p", user_data=PROACTIVE))
            await site.pass_s()
            assert site.interactions.done("enter") == [("p", "Proactive")]
            assert site.interactions.done("deliver") == []
            site.statistics.show("Proactive agents", "bob")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("p", "bob")]

    run_virtual(run())


def test_an_agent_with_one_slot_gets_one_offer_until_the_stream_shows_it_free_again() -> None:
    """Neither a second offer while it rings, nor after the acceptance until the slot is free."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b"))
            await site.pass_s()
            assert site.interactions.done("deliver") == [("a", "ana")]
            site.statistics.show("Chat agents", "ana", current=1)
            site.interactions.answer("a", "accepted")
            await site.pass_s(30)
            assert len(site.interactions.done("deliver")) == 1
            site.statistics.show("Chat agents", "ana")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("a", "ana"), ("b", "ana")]
            assert (await site.strategies()).items[0].routed == 1

    run_virtual(run())


def test_an_acceptance_that_the_stream_has_not_shown_fills_the_slot() -> None:
    """A state older than the offer does not bring a second one, until the settle timeout."""

    async def run() -> None:
        async with running_site(settle_timeout="1s") as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b"))
            await site.pass_s()
            site.interactions.answer("a", "accepted")
            await site.pass_s(0.5)
            assert len(site.interactions.done("deliver")) == 1
            await site.pass_s(0.6)
            assert site.interactions.done("deliver")[1:] == [("b", "ana")]

    run_virtual(run())


def test_a_rejected_interaction_goes_to_another_agent_and_later_to_the_same_one() -> None:
    """Not to the same agent at once; after the exclusion it may."""

    async def run() -> None:
        async with running_site(exclusion_timeout="5s") as site:
            site.statistics.show("Chat agents", "ana", since="2026-01-31T07:00:00.000Z")
            site.statistics.show("Chat agents", "bob")
            await site.pass_s()
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            site.interactions.answer("a", "rejected")
            await site.pass_s()
            site.interactions.answer("a", "rejected")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("a", "ana"), ("a", "bob")]
            await site.pass_s(5)
            assert site.interactions.done("deliver")[2:] == [("a", "ana")]
            assert site.interactions.done("place") == []

    run_virtual(run())


def test_an_agent_who_rejected_one_is_offered_the_next() -> None:
    """A rejection is about the interaction, not about the agent."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b", submit_seq=1))
            await site.pass_s()
            site.interactions.answer("a", "rejected")
            await site.pass_s()
            assert site.interactions.done("deliver") == [("a", "ana"), ("b", "ana")]

    run_virtual(run())


@pytest.mark.parametrize("refusal", ["agent_busy", "invalid_target"])
def test_an_agent_who_cannot_take_an_offer_is_left_alone_for_a_while(refusal: str) -> None:
    """Another agent gets it; the refused one gets offers again after the exclusion."""

    async def run() -> None:
        async with running_site(exclusion_timeout="5s") as site:
            site.statistics.show("Chat agents", "ana", since="2026-01-31T07:00:00.000Z")
            site.statistics.show("Chat agents", "bob")
            await site.pass_s()
            site.interactions.refuse["deliver"] = [PacelineError(refusal, "no", field="agent")]
            site.interactions.submit("all chats", interaction("a"), interaction("b", submit_seq=1))
            await site.pass_s()
            assert site.interactions.done("deliver")[0] == ("a", "ana")
            assert len(site.interactions.ringing) == 1
            await site.pass_s(5)
            assert sorted(site.interactions.ringing.values()) == ["ana", "bob"]

    run_virtual(run())


@pytest.mark.parametrize("outcome", ["revoked", "abandoned", "stopped"])
def test_an_offer_that_ended_without_an_answer_frees_the_agent(outcome: str) -> None:
    """The router forgets it; what was put back into its queue is simply pulled again."""

    async def run() -> None:
        async with running_site() as site:
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            site.interactions.submit("all chats", interaction("b", submit_seq=1))
            await site.pass_s()
            site.interactions.answer("a", outcome)
            await site.pass_s()
            assert site.interactions.done("deliver")[1] == ("b", "ana")
            rows = {row.number: row for row in (await site.virtual_queues()).items}
            assert rows["Chat"].waiting == (1 if outcome == "revoked" else 0)

    run_virtual(run())


def test_one_who_left_while_waiting_is_never_offered() -> None:
    """An abandoned or stopped interaction leaves the line."""

    async def run() -> None:
        async with running_site() as site:
            site.interactions.submit("all chats", interaction("a"), interaction("b"))
            await site.pass_s()
            site.interactions.answer("a", "abandoned")
            site.interactions.answer("b", "stopped")
            await site.pass_s()
            site.statistics.show("Chat agents", "ana")
            await site.pass_s()
            assert site.interactions.done("deliver") == []

    run_virtual(run())


def test_an_interaction_that_is_no_longer_ours_is_forgotten() -> None:
    """The agent is free for the next one at once."""

    async def run() -> None:
        async with running_site() as site:
            site.interactions.refuse["deliver"] = [PacelineError("not_waiting", "stopped")]
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"), interaction("b", submit_seq=1))
            await site.pass_s()
            assert site.interactions.ringing == {"b": "ana"}

    run_virtual(run())


def test_a_refusal_that_may_pass_is_repeated_after_a_pause() -> None:
    """Overload of the Interaction Server is no reason to lose or to hammer."""

    async def run() -> None:
        async with running_site() as site:
            busy = PacelineError("overloaded", "later", retry_after_s=2.0)
            site.interactions.refuse["deliver"] = [busy]
            site.statistics.show("Chat agents", "ana")
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s(1.9)
            assert site.interactions.ringing == {}
            await site.pass_s(0.2)
            assert site.interactions.ringing == {"a": "ana"}

    run_virtual(run())


def test_one_that_others_put_back_is_held_once_when_it_comes_again() -> None:
    """Pulled a second time without a word in between, it waits once and goes to one agent."""

    async def run() -> None:
        async with running_site() as site:
            site.interactions.submit("all chats", interaction("a"))
            await site.pass_s()
            site.interactions.submit("all chats", interaction("a"), interaction("b", submit_seq=1))
            await site.pass_s()
            rows = {row.number: row for row in (await site.virtual_queues()).items}
            assert rows["Chat"].waiting == 2
            site.statistics.show("Chat agents", "ana")
            await site.pass_s()
            site.statistics.show("Chat agents", "bob")
            await site.pass_s()
            assert site.interactions.ringing == {"a": "ana", "b": "bob"}

    run_virtual(run())

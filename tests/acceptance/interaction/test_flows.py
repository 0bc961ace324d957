"""The flow table of the reference, row by row: what each client is told, and what is reported."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from tests.acceptance.interaction.cast import VIEW, Cast, cast, data_of

TAKEN_BY_ROUTER = ["EventTakenFromQueue", "EventPartyAdded"]
TAKEN_BY_AGENT = ["EventTakenFromQueue", "EventPartyAdded"]


async def _offered(scene: Cast, **fields: object) -> tuple[str, int]:
    """Id and ticket of an interaction that the router offers to agent1."""
    key = await scene.submitted(**fields)
    await scene.router.view.pull(view=VIEW, for_strategy=True)
    ticket = (await scene.router.interaction.deliver(interaction_id=key, agent="agent1")).ticket
    await scene.settle()
    return key, ticket


def test_a_media_server_submits() -> None:
    """EventAck or EventError to the media server; EventInteractionSubmitted to reporting; it is queued."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            assert await scene.state(key) == "queued"
            assert await scene.events() == ["EventInteractionSubmitted"]
            with pytest.raises(PacelineError, match="invalid_attribute"):
                await scene.media.interaction.submit(media_type="chat", queue="None such")
            assert await scene.events() == []

    run_virtual(scenario())


def test_an_agent_submits() -> None:
    """What an agent submits is handled by that agent at once, until it is queued, parked or stopped."""

    async def scenario() -> None:
        async with cast() as scene:
            answer = await scene.desk1.interaction.submit(
                media_type="chat", queue="Chats", agent="agent1"
            )
            assert answer.state == "handling"
            found = await scene.media.interaction.get(interaction_id=answer.interaction_id)
            assert (found.state, found.agent, found.place) == ("handling", "agent1", "place1")
            assert await scene.events() == ["EventInteractionSubmitted", "EventPartyAdded"]
            pulled = await scene.desk2.view.pull(view=VIEW, agent="agent2")
            assert pulled.interactions == ()

    run_virtual(scenario())


def test_a_router_delivers_and_the_agent_accepts() -> None:
    """EventInvite to the agent; EventAgentInvited, EventPartyRemoved; then EventPartyAdded."""

    async def scenario() -> None:
        async with cast() as scene:
            key, ticket = await _offered(scene)
            assert scene.heard1.last("invite").ticket == ticket
            assert await scene.events() == [
                "EventInteractionSubmitted",
                *TAKEN_BY_ROUTER,
                "EventAgentInvited",
                "EventPartyRemoved",
            ]
            await scene.desk1.interaction.accept(interaction_id=key, ticket=ticket, agent="agent1")
            assert await scene.events() == ["EventPartyAdded"]
            await scene.settle(60)  # the delivering timer is cancelled
            assert await scene.state(key) == "handling"
            assert scene.heard_router.names() == ["delivery_result"]

    run_virtual(scenario())


def test_an_agent_rejects() -> None:
    """EventAck to the agent, the router is told; EventRejected."""

    async def scenario() -> None:
        async with cast() as scene:
            key, ticket = await _offered(scene)
            await scene.mark()
            await scene.desk1.interaction.reject(
                interaction_id=key, ticket=ticket, agent="agent1", reason="busy"
            )
            assert (await scene.events())[0] == "EventRejected"
            assert scene.heard_router.last("delivery_result").outcome == "rejected"
            assert await scene.state(key) == "routing"

    run_virtual(scenario())


def test_no_answer_revokes_into_the_queue() -> None:
    """After delivering-timeout: EventRevoked to the agent and to reporting, back in its queue."""

    async def scenario() -> None:
        async with cast(options={"settings": {"delivering-timeout": 7}}) as scene:
            key, _ = await _offered(scene)
            await scene.mark()
            await scene.settle(6)
            assert await scene.events() == []
            await scene.settle(1)
            assert await scene.events() == ["EventRevoked", "EventPlacedInQueue"]
            assert scene.heard1.names() == ["revoked"]
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_an_agent_pulls_from_a_queue() -> None:
    """EventPulledInteractions to the agent; EventTakenFromQueue, EventPartyAdded."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.mark()
            pulled = await scene.desk1.view.pull(view=VIEW, agent="agent1")
            assert [i.interaction_id for i in pulled.interactions] == [key]
            assert await scene.events() == TAKEN_BY_AGENT

    run_virtual(scenario())


def test_handling_timeout_takes_it_away() -> None:
    """EventRevoked to the agent; EventPartyRemoved to reporting, and it waits in its queue again."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            await scene.settle(180 * 60 - 1)
            assert await scene.events() == []
            await scene.settle(2)
            assert await scene.events() == ["EventPartyRemoved", "EventPlacedInQueue"]
            assert scene.heard1.names() == ["revoked"]
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_any_request_of_the_agent_resets_the_handling_timer() -> None:
    """Reading the properties is enough; another client's change is not the agent's."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.settle(100 * 60)
            await scene.desk1.interaction.get(interaction_id=key)
            await scene.settle(179 * 60)
            await scene.media.interaction.change(interaction_id=key, added={"a": msgspec.Raw(b"1")})
            await scene.desk2.interaction.get(interaction_id=key)
            assert await scene.state(key) == "handling"
            await scene.settle(2 * 60)
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_place_in_queue() -> None:
    """By the agent who has it: EventPlacedInQueue, EventPartyRemoved."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            answer = await scene.desk1.interaction.place_in_queue(
                interaction_id=key, queue="E-mails", agent="agent1"
            )
            assert answer.state == "queued"
            assert sorted(await scene.events()) == ["EventPartyRemoved", "EventPlacedInQueue"]
            assert (await scene.media.interaction.get(interaction_id=key)).queue == "E-mails"

    run_virtual(scenario())


def test_place_in_queue_with_changes_is_one_step() -> None:
    """Properties, hold and placement come in one transaction with one merged set of events."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled(user_data=msgspec.Raw(b'{"old":1,"kept":2}'))
            await scene.mark()
            await scene.desk1.interaction.place_in_queue(
                interaction_id=key,
                queue="E-mails",
                hold=True,
                added={"new": msgspec.Raw(b"3")},
                deleted=("old",),
            )
            assert await scene.events() == [
                "EventPropertiesChanged",
                "EventPartyRemoved",
                "EventPlacedInQueue",
                "EventHeld",
            ]
            found = await scene.media.interaction.get(interaction_id=key)
            assert msgspec.json.decode(found.user_data) == {"kept": 2, "new": 3}
            assert found.is_held

    run_virtual(scenario())


def test_back_returns_to_where_it_came_from() -> None:
    """`__BACK__` puts it into its queue at its old place in the order."""

    async def scenario() -> None:
        async with cast() as scene:
            first = await scene.handled()
            second = await scene.submitted()
            await scene.desk1.interaction.place_in_queue(interaction_id=first, queue="__BACK__")
            pulled = await scene.desk2.view.pull(view=VIEW, count=2, agent="agent2")
            assert [i.interaction_id for i in pulled.interactions] == [first, second]

    run_virtual(scenario())


def test_intrude_is_let_in() -> None:
    """The agent who has it is asked; two answers, EventPartyAdded to all parties and to reporting."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            asked = scene.desk2.interaction.intrude(
                interaction_id=key, agent="agent2", visibility="coach"
            )
            await scene.settle()
            invite = scene.heard1.last("invite")
            assert (invite.role, invite.asked_by, invite.visibility) == (
                "intrude",
                "agent2",
                "coach",
            )
            await scene.desk1.interaction.accept(
                interaction_id=key, ticket=invite.ticket, agent="agent1"
            )
            assert (await asked).state == "handling"
            assert await scene.events() == ["EventAgentInvited", "EventPartyAdded"]
            assert scene.heard1.names() == ["invite", "party_added"]
            assert "party_added" in scene.heard2.names()
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.parties) == ("agent1", ("agent2",))

    run_virtual(scenario())


def test_intrude_is_refused() -> None:
    """EventAck to the one who refuses, EventError to the intruder; EventRejected."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            asked = scene.desk2.interaction.intrude(interaction_id=key, agent="agent2")
            await scene.settle()
            ticket = scene.heard1.last("invite").ticket
            await scene.desk1.interaction.reject(
                interaction_id=key, ticket=ticket, agent="agent1", reason="private"
            )
            with pytest.raises(PacelineError, match="private") as refused:
                await asked
            assert refused.value.name == "not_allowed"
            assert await scene.events() == ["EventAgentInvited", "EventRejected"]
            assert (await scene.media.interaction.get(interaction_id=key)).parties == ()

    run_virtual(scenario())


def test_intrude_that_nobody_answers() -> None:
    """After delivering-timeout the intruder gets an error, the agent asked is told that it is over."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            asked = scene.desk2.interaction.intrude(
                interaction_id=key, agent="agent2", timeout_s=60
            )
            with pytest.raises(PacelineError, match="ticket_expired"):
                await asked
            assert await scene.events() == ["EventAgentInvited", "EventRevoked"]
            assert scene.heard1.names() == ["invite", "revoked"]

    run_virtual(scenario())


def test_an_intruder_who_does_not_wait_withdraws() -> None:
    """The request ends with its caller: the agent asked is told, a later acceptance lets nobody in."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            with pytest.raises(PacelineError):
                await scene.desk2.interaction.intrude(
                    interaction_id=key, agent="agent2", timeout_s=5
                )
            assert await scene.events() == ["EventAgentInvited", "EventRevoked"]
            assert (await scene.media.interaction.get(interaction_id=key)).parties == ()

    run_virtual(scenario())


def test_a_consulted_agent_who_does_not_answer_is_set_not_ready() -> None:
    """With not-ready-on-invitation-timeout, as for a router's offer; the owner stays ready."""

    async def scenario() -> None:
        option = {"settings": {"not-ready-on-invitation-timeout": "true"}}
        async with cast(options=option) as scene:
            key = await scene.handled()
            await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            await scene.settle(31)
            agents = (await scene.media.agent.list()).items
            assert [(a.agent, a.media[0].ready) for a in agents] == [
                ("agent1", True),
                ("agent2", False),
            ]

    run_virtual(scenario())


def test_a_property_change_is_echoed_to_the_agent() -> None:
    """The media server changes a property: EventPropertiesChanged to the agent and to reporting."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            await scene.media.interaction.change(
                interaction_id=key, changed={"Subject": msgspec.Raw(b'"new"')}, deleted=("Old",)
            )
            assert await scene.events() == ["EventPropertiesChanged"]
            told = scene.heard1.last("properties_changed")
            assert bytes(told.changed["Subject"]) == b'"new"'
            assert (told.deleted, told.properties_version) == (("Old",), 2)
            scene.heard1.all.clear()
            await scene.desk1.interaction.change(
                interaction_id=key, changed={"Subject": msgspec.Raw(b'"mine"')}
            )
            await scene.settle()
            assert scene.heard1.names() == []  # the one who asked is answered, not told

    run_virtual(scenario())


def test_stop_with_reason() -> None:
    """The end with its reason: gone from views, still found by id; again is fine."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            for _ in range(2):
                answer = await scene.desk1.interaction.stop(
                    interaction_id=key, agent="agent1", reason="solved"
                )
                assert answer.state == "stopped"
            logged = await scene.logged()
            assert [e.name for e in logged] == ["EventPartyRemoved", "EventProcessingStopped"]
            assert logged[-1].reason == "solved"
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.state, found.stop_reason) == ("stopped", "solved")
            assert (await scene.desk1.view.pull(view=VIEW)).interactions == ()

    run_virtual(scenario())


def test_transfer_hands_over_with_the_acceptance() -> None:
    """The other agent is invited; with the acceptance it owns the interaction, the first one has it no more."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            await scene.mark()
            asked = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            assert asked.state == "handling"
            await scene.settle()
            assert scene.heard2.last("invite").role == "transfer"
            await scene.desk2.interaction.accept(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            logged = await scene.logged()
            assert [(e.name, e.agent) for e in logged] == [
                ("EventAgentInvited", "agent2"),
                ("EventPartyAdded", "agent2"),
                ("EventPartyRemoved", "agent1"),
            ]
            assert data_of(logged[0])["role"] == "transfer"
            assert scene.heard1.last("party_request_result").outcome == "accepted"
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.parties) == ("agent2", ())
            with pytest.raises(PacelineError, match="not_owner"):
                await scene.desk1.interaction.stop(interaction_id=key, agent="agent1")
            await scene.desk2.interaction.stop(interaction_id=key, agent="agent2")

    run_virtual(scenario())


def test_transfer_refused_or_unanswered_changes_nothing() -> None:
    """The owner keeps it and is told; a second request meanwhile is operation_in_progress."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            asked = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            with pytest.raises(PacelineError, match="operation_in_progress"):
                await scene.desk1.interaction.conference(
                    interaction_id=key, agent="agent1", to_agent="agent2"
                )
            await scene.mark()
            await scene.desk2.interaction.reject(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            assert await scene.events() == ["EventRejected"]
            assert scene.heard1.last("party_request_result").outcome == "rejected"
            late = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            await scene.mark()
            await scene.settle(31)
            assert await scene.events() == ["EventRevoked"]
            assert scene.heard2.names() == ["revoked"]
            with pytest.raises(PacelineError, match=r"ticket_expired|already_accepted"):
                await scene.desk2.interaction.accept(
                    interaction_id=key, ticket=late.ticket, agent="agent2"
                )
            assert (await scene.media.interaction.get(interaction_id=key)).agent == "agent1"

    run_virtual(scenario())


def test_a_request_for_a_party_is_taken_back() -> None:
    """By an agent who handles it: the invited one is told; a stranger may not."""

    async def scenario() -> None:
        async with cast() as scene:
            stranger = await scene.desk("agent3")
            key = await scene.handled()
            await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            with pytest.raises(PacelineError, match="not_owner"):
                await stranger.interaction.revoke(interaction_id=key)
            await scene.mark()
            await scene.desk1.interaction.revoke(interaction_id=key, reason="solved it")
            assert await scene.events() == ["EventRevoked"]
            assert scene.heard2.last("revoked").reason == "solved it"
            assert await scene.state(key) == "handling"

    run_virtual(scenario())


def test_conference_and_leave() -> None:
    """Two agents on one interaction; when the owner leaves the other one has it; the last cannot leave."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            asked = await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            await scene.desk2.interaction.accept(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            await scene.mark()
            await scene.desk2.interaction.change(
                interaction_id=key, added={"note": msgspec.Raw(b"1")}, agent="agent2"
            )
            await scene.desk1.interaction.leave(interaction_id=key, agent="agent1")
            assert await scene.events() == ["EventPropertiesChanged", "EventPartyRemoved"]
            assert scene.heard1.names() == ["properties_changed", "party_removed"]
            assert scene.heard2.last("party_removed").owner == "agent2"
            with pytest.raises(PacelineError, match="nobody else works on it"):
                await scene.desk2.interaction.leave(interaction_id=key, agent="agent2")
            with pytest.raises(PacelineError, match="not_owner"):
                await scene.desk1.interaction.leave(interaction_id=key, agent="agent1")

    run_virtual(scenario())


def test_the_end_of_a_conference_frees_everybody() -> None:
    """Stop with two parties and one asked: each gets its event, nobody holds it any more."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            asked = await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_agent="agent2", visibility="monitor"
            )
            await scene.desk2.interaction.accept(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            await scene.desk("agent3")
            await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_agent="agent3"
            )
            await scene.mark()
            await scene.desk1.interaction.stop(interaction_id=key, agent="agent1")
            assert await scene.events() == [
                "EventRevoked",
                "EventPartyRemoved",
                "EventPartyRemoved",
                "EventProcessingStopped",
            ]
            agents = (await scene.media.agent.list()).items
            assert all(agent.handling == () for agent in agents)

    run_virtual(scenario())


def test_an_owner_who_logs_out_leaves_it_to_the_other_party() -> None:
    """A conference goes on without its owner; without anybody else it goes back to the queue."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.handled()
            asked = await scene.desk1.interaction.conference(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            await scene.desk2.interaction.accept(
                interaction_id=key, ticket=asked.ticket, agent="agent2"
            )
            await scene.desk1.agent.logout(agent="agent1")
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.state, found.agent, found.parties) == ("handling", "agent2", ())
            await scene.desk2.agent.logout(agent="agent2")
            assert await scene.state(key) == "queued"

    run_virtual(scenario())

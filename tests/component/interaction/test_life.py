"""The life of interactions at one node: from submission to the end, with the events that report it."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from paceline.wire.operations.interaction import DeliveryResult, Invite, Revoked
from tests.fakes.site import running_node

START = Millis(1_000_000_000_000)
PROACTIVE = msgspec.Raw(b'{"Proactive":"1","PacingTarget":"Proactive Chat - chat","name":"Ann"}')


def _times() -> Times:
    return virtual_times(START)


async def _names(client: InteractionServerClient) -> list[str]:
    page = await client.event.read(limit=1000)
    return [event.name for event in page.items]


def test_an_interaction_goes_from_submission_to_stop() -> None:
    """Submit, pull, virtual queue, delivery, accept, stop: each state, each event, in order."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            invites: list[Invite] = []
            results: list[DeliveryResult] = []
            desk.connection.on_notice("interaction.invite", invites.append)
            router.connection.on_notice("interaction.delivery_result", results.append)
            await desk.agent.login(agent="agent1", place="place1", media=("chat",), ready=True)
            submitted = await media.interaction.submit(
                media_type="chat", queue="Chats", user_data=PROACTIVE
            )
            assert (submitted.state, submitted.queue, submitted.submit_seq) == (
                "queued",
                "Chats",
                1,
            )
            assert len(submitted.interaction_id) == 16
            pulled = await router.view.pull(view="Chats view", count=5, for_strategy=True)
            assert [i.interaction_id for i in pulled.interactions] == [submitted.interaction_id]
            assert bytes(pulled.interactions[0].user_data) == bytes(PROACTIVE)
            key = submitted.interaction_id
            await router.interaction.enter_virtual_queue(
                interaction_id=key, virtual_queue="Proactive Chat"
            )
            await router.interaction.deliver(interaction_id=key, agent="agent1")
            await times.machine.sleep(0.1)
            assert invites[0].interaction.virtual_queue == "Proactive Chat"
            accepted = await desk.interaction.accept(
                interaction_id=key, ticket=invites[0].ticket, agent="agent1"
            )
            assert accepted.state == "handling"
            stopped = await desk.interaction.stop(interaction_id=key, agent="agent1")
            again = await desk.interaction.stop(interaction_id=key, agent="agent1")
            assert stopped.state == again.state == "stopped"
            assert [r.outcome for r in results] == ["accepted"]
            assert (await media.interaction.get(interaction_id=key)).state == "stopped"
            assert await _names(media) == [
                "EventAgentLogin",
                "EventMediaAdded",
                "EventReadyForMedia",
                "EventInteractionSubmitted",
                "EventTakenFromQueue",
                "EventPartyAdded",
                "EventVirtualQueueEntered",
                "EventAgentInvited",
                "EventPartyRemoved",
                "EventPartyAdded",
                "EventVirtualQueueDistributed",
                "EventPartyRemoved",
                "EventProcessingStopped",
            ]

    run_virtual(scenario())


def test_a_pull_follows_priority_then_age_then_sequence() -> None:
    """Exact order of the default view: higher priority first, then oldest received, then first placed."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            ids = {}
            for name, priority, received in (
                ("late", 0, "2001-09-09T01:46:45Z"),
                ("early", 0, "2001-09-09T01:46:41Z"),
                ("urgent", 5, "2001-09-09T01:46:50Z"),
                ("twin", 0, "2001-09-09T01:46:41Z"),
            ):
                answer = await media.interaction.submit(
                    media_type="chat", queue="Chats", priority=priority, received_at=received
                )
                ids[answer.interaction_id] = name
            router = await node.client("router", "router")
            pulled = await router.view.pull(view="Chats view", count=10)
            assert [ids[i.interaction_id] for i in pulled.interactions] == [
                "urgent",
                "early",
                "twin",
                "late",
            ]

    run_virtual(scenario())


def test_a_head_smaller_than_the_backlog_keeps_the_order() -> None:
    """With ten in the head and a hundred waiting, newcomers before and behind it come in exact order."""

    async def scenario() -> None:
        async with running_node(_times(), options={"views": {"head-size": 10}}) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            for count in range(60):
                await media.interaction.submit(media_type="chat", queue="Chats", priority=count % 7)
            seen = []
            for count in range(60):
                await media.interaction.submit(media_type="chat", queue="Chats", priority=count % 5)
                pulled = await router.view.pull(view="Chats view")
                seen.append(pulled.interactions[0])
            rest = await router.view.pull(view="Chats view", count=100)
            assert len(rest.interactions) == 60
            order = [(-i.priority, i.submit_seq) for i in rest.interactions]
            assert order == sorted(order)

    run_virtual(scenario())


def test_an_unanswered_offer_is_revoked_into_its_queue() -> None:
    """After delivering-timeout the agent and the router are told and the interaction waits again."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            revoked: list[Revoked] = []
            results: list[DeliveryResult] = []
            desk.connection.on_notice("interaction.revoked", revoked.append)
            router.connection.on_notice("interaction.delivery_result", results.append)
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            delivered = await router.interaction.deliver(interaction_id=key, agent="agent1")
            with pytest.raises(PacelineError, match="agent_busy"):
                other = (
                    await media.interaction.submit(media_type="chat", queue="Chats")
                ).interaction_id
                await router.view.pull(view="Chats view")
                await router.interaction.deliver(interaction_id=other, agent="agent1")
            await times.machine.sleep(31)
            assert (await media.interaction.get(interaction_id=key)).state == "queued"
            assert [r.ticket for r in revoked] == [delivered.ticket]
            assert [r.outcome for r in results] == ["revoked"]
            with pytest.raises(PacelineError, match="ticket_expired"):
                await desk.interaction.accept(
                    interaction_id=key, ticket=delivered.ticket, agent="agent1"
                )

    run_virtual(scenario())


def test_what_a_lost_router_held_waits_again_at_its_old_place() -> None:
    """The session ends, the interaction is back at once, before those that came later."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            first = (
                await media.interaction.submit(media_type="chat", queue="Chats")
            ).interaction_id
            router = await node.client("router", "router")
            await router.view.pull(view="Chats view")
            await media.interaction.submit(media_type="chat", queue="Chats")
            await router.connection.close()
            await times.machine.sleep(0.1)
            other = await node.client("other", "router")
            pulled = await other.view.pull(view="Chats view")
            assert pulled.interactions[0].interaction_id == first

    run_virtual(scenario())


def test_a_lost_agent_has_the_grace_then_the_work_goes_back() -> None:
    """Within the grace nothing happens; after it: EventRevoked, back in the queue, logged out."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await desk.view.pull(view="Chats view", agent="agent1")
            await desk.connection.close()
            await times.machine.sleep(20)
            assert (await media.interaction.get(interaction_id=key)).state == "handling"
            await times.machine.sleep(15)
            assert (await media.interaction.get(interaction_id=key)).state == "queued"
            assert (await media.agent.list()).items == ()
            names = await _names(media)
            assert "EventRevoked" in names
            assert names[-1] == "EventAgentLogout"

    run_virtual(scenario())


def test_a_held_pull_gets_the_next_arrival_and_gives_back_what_nobody_takes() -> None:
    """Held pull answers on arrival; one whose caller has gone returns the interaction."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            empty = await router.view.pull(view="Chats view", hold_s=1.0)
            assert empty.interactions == ()
            held = router.view.pull(view="Chats view", hold_s=9.0)
            await times.machine.sleep(3)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            assert (await held).interactions[0].interaction_id == key

    run_virtual(scenario())


def test_a_client_token_makes_submission_idempotent() -> None:
    """Same token and body: same answer, one interaction; another body: idempotency_key_reused."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            first = await media.interaction.submit(
                media_type="chat", queue="Chats", client_token="t1"
            )
            again = await media.interaction.submit(
                media_type="chat", queue="Chats", client_token="t1"
            )
            assert first == again
            with pytest.raises(PacelineError, match="idempotency_key_reused"):
                await media.interaction.submit(media_type="email", queue="Chats", client_token="t1")
            found = await media.interaction.find(condition="Queue = 'Chats'")
            assert len(found.interactions) == 1

    run_virtual(scenario())


def test_a_client_made_id_is_taken_once() -> None:
    """The second submission of one id is refused, also after the first one is finished."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            await media.interaction.submit(
                media_type="chat", queue="Chats", interaction_id="mine-1"
            )
            await media.interaction.stop(interaction_id="mine-1")
            with pytest.raises(PacelineError, match="duplicate_interaction_id"):
                await media.interaction.submit(
                    media_type="chat", queue="Chats", interaction_id="mine-1"
                )

    run_virtual(scenario())


def test_abandoning_while_it_rings_frees_the_agent() -> None:
    """The offer is revoked, the virtual queue reports the abandonment, the agent can be invited again."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            results: list[DeliveryResult] = []
            router.connection.on_notice("interaction.delivery_result", results.append)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await router.interaction.enter_virtual_queue(interaction_id=key, virtual_queue="Chat")
            await router.interaction.deliver(interaction_id=key, agent="agent1")
            assert (await media.interaction.abandon(interaction_id=key)).state == "stopped"
            assert (await media.interaction.abandon(interaction_id=key)).state == "stopped"
            names = await _names(media)
            assert names[-4:] == [
                "EventRevoked",
                "EventVirtualQueueAbandoned",
                "EventAbandoned",
                "EventProcessingStopped",
            ]
            assert [r.outcome for r in results] == ["abandoned"]
            await media.interaction.submit(media_type="chat", queue="Chats")
            other = (await router.view.pull(view="Chats view")).interactions[0].interaction_id
            await router.interaction.deliver(interaction_id=other, agent="agent1")

    run_virtual(scenario())


def test_errors_name_the_field_and_the_fix() -> None:
    """Unknown queue, unknown id, wrong user data: each says what and where."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            with pytest.raises(PacelineError, match="queue 'Nowhere' does not exist") as unknown:
                await media.interaction.submit(media_type="chat", queue="Nowhere")
            assert unknown.value.field == "queue"
            with pytest.raises(PacelineError, match="not_found"):
                await media.interaction.stop(interaction_id="nothing")
            with pytest.raises(PacelineError, match="same key twice"):
                await media.interaction.submit(
                    media_type="chat", queue="Chats", user_data=msgspec.Raw(b'{"a":1,"a":2}')
                )

    run_virtual(scenario())

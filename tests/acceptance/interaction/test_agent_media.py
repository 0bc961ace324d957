"""Media of agents: added and removed, ready and not ready, reasons, do not disturb, a telephone's word."""

from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from tests.fakes.site import running_node

START = Millis(1_000_000_000_000)


def _times() -> Times:
    return virtual_times(START)


async def _told(client: InteractionServerClient) -> list[tuple[Any, ...]]:
    """Name, medium, reason of every event."""
    items = (await client.event.read(limit=1000)).items
    return [
        (event.name, msgspec.json.decode(event.data).get("media_type"), event.reason)
        for event in items
    ]


def test_each_change_of_state_is_one_event_with_its_reason() -> None:
    """Add, ready, not ready, remove: one event each, in order, with medium and reason."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", reason="shift")
            added = await desk.media.add(agent="agent1", media="chat")
            assert [(m.media_type, m.ready) for m in added.media] == [("chat", False)]
            await desk.media.ready(agent="agent1", media="chat")
            paused = await desk.media.not_ready(agent="agent1", media="chat", reason="lunch")
            assert (paused.media[0].ready, paused.media[0].reason) == (False, "lunch")
            removed = await desk.media.remove(agent="agent1", media="chat", reason="no chats")
            assert removed.media == ()
            assert await _told(desk) == [
                ("EventAgentLogin", None, "shift"),
                ("EventMediaAdded", "chat", None),
                ("EventReadyForMedia", "chat", None),
                ("EventNotReadyForMedia", "chat", "lunch"),
                ("EventMediaRemoved", "chat", "no chats"),
            ]

    run_virtual(scenario())


def test_a_repeated_change_is_refused_and_writes_nothing() -> None:
    """Added, ready, not ready, absent already: 2503, 2504, 2505, 2502, and no event."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",))
            before = await _told(desk)
            for act, number in (
                (desk.media.add(agent="agent1", media="chat"), 2503),
                (desk.media.not_ready(agent="agent1", media="chat"), 2505),
                (desk.media.ready(agent="agent1", media="email"), 2502),
                (desk.media.remove(agent="agent1", media="email"), 2502),
                (desk.media.change_reason(agent="agent1", media="email", reason="x"), 2502),
                (desk.media.add(agent="agent2", media="chat"), 2502),
            ):
                with pytest.raises(PacelineError) as refusal:
                    await act
                assert refusal.value.number == number
            assert await _told(desk) == before
            await desk.media.ready(agent="agent1", media="chat")
            with pytest.raises(PacelineError) as refusal:
                await desk.media.ready(agent="agent1", media="chat")
            assert refusal.value.number == 2504

    run_virtual(scenario())


def test_reasons_change_without_the_state() -> None:
    """Of a medium and of the agent: one event per new reason, none for the same one again."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",))
            await desk.media.change_reason(agent="agent1", media="chat", reason="break")
            await desk.media.change_reason(agent="agent1", media="chat", reason="break")
            await desk.agent.change_reason(agent="agent1", reason="training")
            session = await desk.agent.change_reason(agent="agent1", reason="training")
            assert (session.reason, session.media[0].reason) == ("training", "break")
            assert not session.media[0].ready
            assert (await _told(desk))[2:] == [
                ("EventMediaStateReasonChanged", "chat", "break"),
                ("EventAgentStateReasonChanged", None, "training"),
            ]

    run_virtual(scenario())


def test_a_reporting_client_only_looks() -> None:
    """It may list and watch agents; login, ready, publish are refused, naming the role."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            reporting = await node.client("reporting", "reporting")
            assert (await reporting.agent.list()).items == ()
            for act in (
                reporting.agent.login(agent="agent1"),
                reporting.media.ready(agent="agent1", media="chat"),
                reporting.topic.publish(topic="agent.agent1"),
            ):
                with pytest.raises(PacelineError, match="not reporting") as refusal:
                    await act
                assert (refusal.value.name, refusal.value.field) == ("not_allowed", "client_kind")

    run_virtual(scenario())


def test_do_not_disturb_holds_offers_off() -> None:
    """On: no offer in any medium though ready; off again: offers come; repeats write nothing."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            router = await node.client("router", "router")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            await desk.agent.dnd_on(agent="agent1", reason="meeting")
            await desk.agent.dnd_on(agent="agent1")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            with pytest.raises(PacelineError, match="invalid_target") as refusal:
                await router.interaction.deliver(interaction_id=key, agent="agent1")
            assert refusal.value.number == 2509
            await desk.agent.dnd_off(agent="agent1")
            await router.interaction.deliver(interaction_id=key, agent="agent1")
            told = [t for t in await _told(desk) if "Disturb" in t[0]]
            assert told == [
                ("EventDoNotDisturbOn", None, "meeting"),
                ("EventDoNotDisturbOff", None, None),
            ]

    run_virtual(scenario())


def test_a_telephone_system_tells_the_state_of_voice() -> None:
    """Ready, busy with calls, after-call work: the medium is added, each change is one event."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            phone = await node.client("telephone", "media_server")
            await phone.agent.login(agent="agent1", media=("chat",), ready=True)
            seen = []
            for state, calls in (
                ("ready", None),
                ("busy", None),
                ("busy", 2),
                ("busy", 2),
                ("after_call_work", None),
                ("not_ready", None),
                ("ready", None),
            ):
                session = await phone.media.set_state(
                    agent="agent1",
                    media="voice",
                    state=state,  # type: ignore[arg-type]  # one of the literals
                    calls=calls,
                )
                voice = session.media[1]
                seen.append((voice.ready, voice.state, voice.calls))
            assert seen == [
                (True, "ready", 0),
                (False, "busy", 1),
                (False, "busy", 2),
                (False, "busy", 2),
                (False, "after_call_work", 0),
                (False, "not_ready", 0),
                (True, "ready", 0),
            ]
            assert (await _told(phone))[3:] == [
                ("EventMediaAdded", "voice", None),
                ("EventReadyForMedia", "voice", None),
                ("EventNotReadyForMedia", "voice", "busy"),
                ("EventMediaStateReasonChanged", "voice", "busy"),
                ("EventMediaStateReasonChanged", "voice", "after_call_work"),
                ("EventMediaStateReasonChanged", "voice", "not_ready"),
                ("EventReadyForMedia", "voice", None),
            ]
            with pytest.raises(PacelineError, match="media_not_logged_in"):
                await phone.media.set_state(agent="agent2", media="voice", state="ready")

    run_virtual(scenario())


@pytest.mark.parametrize("is_on", [False, True])
def test_an_unanswered_invitation_and_not_ready(is_on: bool) -> None:
    """not-ready-on-invitation-timeout true: not ready with a reason; false, the default: still ready."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            if is_on:
                node.settings.update({"settings": {"not-ready-on-invitation-timeout": "true"}})
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            router = await node.client("router", "router")
            await desk.agent.login(agent="agent1", media=("chat", "email"), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            await router.interaction.deliver(interaction_id=key, agent="agent1")
            await times.machine.sleep(31)
            session = (await desk.agent.list()).items[0]
            states = {m.media_type: (m.ready, m.reason) for m in session.media}
            reason = "invitation not answered"
            assert states["chat"] == ((False, reason) if is_on else (True, None))
            assert states["email"] == (True, None)
            told = [t for t in await _told(desk) if t[0] == "EventNotReadyForMedia"]
            assert told == ([("EventNotReadyForMedia", "chat", reason)] if is_on else [])

    run_virtual(scenario())

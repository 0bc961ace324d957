"""Section [event-filtering] (interaction-server.md §3.4): each filter removes exactly its events from a reader."""

import json

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.events import KINDS, EventKind
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.rules.event_filter import filter_of
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event, EventNotice, ReadEvents, StreamEvents
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
PROACTIVE = msgspec.Raw(b'{"Proactive":"1"}')

OPTIONS = {
    "log_agent_state": "agent_state",
    "log_agent_activity": "agent",
    "log_queue": "queue",
    "log_strategy": "strategy",
    "log_esp_service": "esp_service",
}


def _event(kind: EventKind, party: str | None = None) -> Event:
    data = {"media_type": "chat"} | ({"party": party} if party else {})
    return Event(
        position="1.1", node=1, event_id=1, name=kind.name, at="", tenant=1, actor="test",
        data=msgspec.Raw(json.dumps(data).encode()),
    )  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_a_filter_removes_exactly_its_endpoint(option: str) -> None:
    """false takes out the events of its kind of endpoint; events of several are told by their party."""
    wanted = filter_of(ReadEvents(**{option: False}))  # type: ignore[arg-type]  # a field's name
    assert wanted is not None
    for kind in KINDS.values():
        for party in kind.endpoints or (None,):
            named = party if len(kind.endpoints) > 1 else None
            is_shown = wanted.shown(_event(kind, named)) is not None
            assert is_shown == (party != OPTIONS[option]), (kind.name, party)


def test_events_without_endpoint_are_never_filtered_by_type() -> None:
    """Submitted, stopped, properties changed, held, resumed pass every type filter."""
    wanted = filter_of(ReadEvents(**dict.fromkeys(OPTIONS, False)))  # type: ignore[arg-type]  # field names
    assert wanted is not None
    shown = {kind.name for kind in KINDS.values() if wanted.shown(_event(kind)) is not None}
    assert {
        "EventInteractionSubmitted",
        "EventProcessingStopped",
        "EventPropertiesChanged",
        "EventHeld",
        "EventResumed",
    } <= shown


def test_the_list_of_names_leaves_only_these() -> None:
    """event-filter-by-id: only the listed events; a name that no event has is refused."""
    wanted = filter_of(ReadEvents(event_filter_by_id="EventAgentLogin, EventHeld"))
    assert wanted is not None
    shown = {kind.name for kind in KINDS.values() if wanted.shown(_event(kind)) is not None}
    assert shown == {"EventAgentLogin", "EventHeld"}
    with pytest.raises(PacelineError, match="EventNothing") as refused:
        filter_of(ReadEvents(event_filter_by_id="EventNothing"))
    assert refused.value.field == "event_filter_by_id"


async def _some_events(node: Node) -> None:
    media = await node.client("chat")
    router = await node.client("router", "router")
    desk = await node.client("desk", "agent")
    await desk.agent.login(agent="agent1", media=("chat",), ready=True)
    await media.interaction.submit(media_type="chat", queue="Chats", user_data=PROACTIVE)
    await router.view.pull(view="Chats view", for_strategy=True)
    await desk.agent.logout(agent="agent1")


def test_reading_and_streaming_obey_the_filters_and_the_log_does_not() -> None:
    """A filtered page and a filtered stream have the same events; the log of record keeps all."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times) as node:
            report = await node.client("report", "reporting")
            live: list[EventNotice] = []
            report.event.subscribe(
                lambda: StreamEvents(log_agent_state=False, log_strategy=False), live.append
            )
            await times.machine.sleep(0.1)
            await _some_events(node)
            await times.machine.sleep(0.1)
            page = await report.event.read(log_agent_state=False, log_strategy=False)
            names = [e.name for e in page.items]
            assert names == ["EventInteractionSubmitted", "EventTakenFromQueue"]
            assert [e.name for n in live for e in n.items] == names
            whole = await report.event.read()
            assert page.position == whole.position
            assert len(whole.items) > len(names)

    run_virtual(scenario())


def test_log_userdata_takes_the_values_and_leaves_the_event() -> None:
    """log-userdata false: the events are there, the values of user data are not."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            await _some_events(node)
            report = await node.client("report", "reporting")
            one = "EventInteractionSubmitted"
            [with_values] = (await report.event.read(event_filter_by_id=one)).items
            assert json.loads(bytes(with_values.data))["keys"] == {"Proactive": "1"}
            [without] = (await report.event.read(event_filter_by_id=one, log_userdata=False)).items
            assert "keys" not in json.loads(bytes(without.data))

    run_virtual(scenario())

"""The log of events as its readers see it: positions, time lines, slow readers, registered readers."""

import json
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.interaction.event_log import publisher as event_publisher
from paceline.servers.interaction.event_log import store as log_store
from paceline.units.quantities import Millis
from paceline.wire.frames import PROTOCOL, encode, request_bytes
from paceline.wire.link import Link, MemoryLink
from paceline.wire.operations.event import EventNotice, StreamEvents
from paceline.wire.operations.interaction import Submit
from paceline.wire.server import session as server_session
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)


def _times() -> Times:
    return virtual_times(START)


async def _submit(client: InteractionServerClient, count: int) -> list[str]:
    answer = await client.interaction.submit_batch(
        interactions=tuple(Submit(media_type="chat", queue="Chats") for _ in range(count))
    )
    return [item.result.interaction_id for item in answer.items if item.result is not None]


async def _raw_stream(node: Node, **request: object) -> Link:
    """A session that has asked for the stream and reads only when the test says so."""
    link = await node.served.link()
    hello = {"protocol": PROTOCOL, "token": "any", "client": "slow", "client_kind": "reporting"}
    await link.send(
        b"["
        + request_bytes(1, "session.hello", encode(hello), None, None)
        + b","
        + request_bytes(2, "event.stream", encode(request), None, None)
        + b"]"
    )
    return link


async def _messages(link: Link, until: int) -> list[dict[str, Any]]:
    """Messages up to the notice that holds an event id, or to the end of the stream."""
    found: list[dict[str, Any]] = []
    while (frame := await link.receive()) is not None:
        found += json.loads(frame)
        if found[-1].get("notice") == "resync_required":
            return found
        items = found[-1].get("body", {}).get("items", ())
        if items and items[-1]["event_id"] >= until:
            return found
    return found


def _ids(messages: list[dict[str, Any]]) -> list[int]:
    return [e["event_id"] for m in messages for e in m.get("body", {}).get("items", ())]


def test_a_time_line_has_the_events_of_one_interaction_and_no_other() -> None:
    """By interaction id: everything from its submission to its end, in order, and then complete."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            await _submit(media, 5)
            await times.business.sleep(5)
            [key] = await _submit(media, 1)
            await _submit(media, 5)
            await times.business.sleep(5)
            router = await node.client("router", "router")
            await router.view.pull(view="Chats view", count=6)
            await media.interaction.stop(interaction_id=key, reason="done")
            await times.business.sleep(5)
            await _submit(media, 5)
            page = await media.event.read(interaction_id=key)
            assert {e.interaction_id for e in page.items} == {key}
            assert [e.name for e in page.items] == [
                "EventInteractionSubmitted",
                "EventTakenFromQueue",
                "EventPartyAdded",
                "EventPartyRemoved",
                "EventProcessingStopped",
            ]
            assert page.complete
            rest = await media.event.read(interaction_id=key, after=page.items[1].position)
            assert [e.event_id for e in rest.items] == [e.event_id for e in page.items[2:]]
            with pytest.raises(PacelineError, match="not_found"):
                await media.event.read(interaction_id="nobody")

    run_virtual(scenario())


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    """Whatever the limit, the pages together are the log."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            for count in (1, 7, 30):
                await _submit(media, count)
            position, ids = None, []
            while True:
                page = await media.event.read(after=position, limit=9)
                ids += [e.event_id for e in page.items]
                position = page.position
                if page.complete:
                    break
            assert ids == list(range(1, 39))

    run_virtual(scenario())


def test_a_slow_reader_gets_every_event_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it does not read, the server keeps little for it; then it reads on without gap."""
    monkeypatch.setattr(MemoryLink, "LIMIT", 2)
    monkeypatch.setattr(server_session, "ROOM_BYTES", 40_000)
    monkeypatch.setattr(log_store, "CHUNK_BYTES", 20_000)

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            link = await _raw_stream(node)
            await times.machine.sleep(0.1)
            for _ in range(12):
                await _submit(media, 40)
                await times.machine.sleep(0.01)
            [session] = [s for s in node.served.surface.sessions if s.client == "slow"]
            assert session._unsent_bytes < 100_000  # type: ignore[attr-defined]  # what the law is about
            messages = await _messages(link, 480)
            assert _ids(messages) == list(range(1, 481))
            await _submit(media, 3)
            assert _ids(await _messages(link, 483)) == [481, 482, 483]

    run_virtual(scenario())


def test_a_reader_that_takes_nothing_is_told_where_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a minute without room the stream ends with resync_required and the position to resume from."""
    monkeypatch.setattr(MemoryLink, "LIMIT", 2)
    monkeypatch.setattr(server_session, "ROOM_BYTES", 20_000)
    monkeypatch.setattr(log_store, "CHUNK_BYTES", 20_000)

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            link = await _raw_stream(node)
            await times.machine.sleep(0.1)
            for _ in range(12):
                await _submit(media, 40)
                await times.machine.sleep(0.01)
            await times.machine.sleep(2 * event_publisher.STALLED_S)
            messages = await _messages(link, 480)
            told = messages[-1]
            assert told["notice"] == "resync_required"
            ids = _ids(messages)
            assert ids == list(range(1, ids[-1] + 1))
            assert told["body"]["position"] == f"1.{ids[-1]}"
            rest = await media.event.read(after=told["body"]["position"], limit=10)
            assert [e.event_id for e in rest.items] == list(range(ids[-1] + 1, ids[-1] + 11))

    run_virtual(scenario())


@pytest.mark.parametrize("after", [0, 1, 4, 7, 8, 29, 38])
def test_a_stream_begins_behind_any_position(after: int) -> None:
    """At the edge of a commit or inside one: the first event is the one behind the position."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            for count in (1, 7, 30):
                await _submit(media, count)
            seen: list[EventNotice] = []
            media.event.subscribe(lambda: StreamEvents(after=f"1.{after}"), seen.append)
            await times.machine.sleep(0.1)
            await _submit(media, 2)
            await times.machine.sleep(0.1)
            assert [e.event_id for n in seen for e in n.items] == list(range(after + 1, 41))
            positions = [n.position for n in seen if n.items]
            assert positions == [n.items[-1].position for n in seen if n.items]

    run_virtual(scenario())


def test_a_registered_reader_goes_on_from_what_it_confirmed() -> None:
    """Confirmed once, its name stands for the position in reading and streaming, until it is forgotten."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            report = await node.client("report", "reporting")
            await _submit(media, 6)
            page = await report.event.read(limit=4)
            await report.event_reader.confirm(reader="hist", position=page.position)
            listed = await report.event_reader.list()
            assert [(r.reader, r.position) for r in listed.items] == [("hist", "1.4")]
            rest = await report.event.read(reader="hist")
            assert [e.event_id for e in rest.items] == [5, 6]
            seen: list[EventNotice] = []
            report.event.subscribe(lambda: StreamEvents(reader="hist"), seen.append)
            await times.machine.sleep(0.1)
            assert [e.event_id for n in seen for e in n.items] == [5, 6]
            await report.event_reader.forget(reader="hist")
            assert (await report.event_reader.list()).items == ()
            assert len((await report.event.read(reader="hist")).items) == 6
            with pytest.raises(PacelineError, match="position") as refused:
                await report.event_reader.confirm(reader="hist", position="elsewhere")
            assert refused.value.field == "position"

    run_virtual(scenario())


def test_what_commits_while_a_backlog_is_read_comes_once() -> None:
    """A stream from the beginning, opened under traffic, has every event once and in order."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            await _submit(media, 300)
            seen: list[EventNotice] = []
            media.event.subscribe(StreamEvents, seen.append)
            for _ in range(30):
                await media.interaction.submit(media_type="chat", queue="Chats")
            await times.machine.sleep(0.1)
            assert [e.event_id for n in seen for e in n.items] == list(range(1, 331))

    run_virtual(scenario())


def test_a_client_told_to_resync_goes_on_from_the_position_it_was_told() -> None:
    """Also a stream that began with the latest event: nothing between is lost, nothing comes twice."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            await _submit(media, 5)
            seen: list[EventNotice] = []
            media.event.subscribe(lambda: StreamEvents(latest=True), seen.append)
            await times.machine.sleep(0.1)
            await _submit(media, 2)
            [session] = [s for s in node.served.surface.sessions if s.client == "chat"]
            session.resync(1, "1.7")
            await _submit(media, 3)
            await times.machine.sleep(0.1)
            assert [e.event_id for n in seen for e in n.items] == [6, 7, 8, 9, 10]

    run_virtual(scenario())


def test_a_position_behind_the_end_is_refused_and_not_waited_for() -> None:
    """After a restore of the database a reader is told, instead of missing what comes next."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            await _submit(media, 3)
            assert (await media.event.read(after="1.3")).items == ()
            with pytest.raises(PacelineError, match=r"ends before this position, at 1\.3") as told:
                await media.event.read(after="1.4")
            assert told.value.field == "after"

    run_virtual(scenario())

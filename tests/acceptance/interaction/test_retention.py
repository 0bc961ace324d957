"""Options event-retention and finished-retention: business time, taken live, never a silent gap."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.tasks.retention import CHECK_S
from paceline.units.quantities import Millis
from paceline.wire.operations.event import EventNotice, StreamEvents
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
HOUR = 3600.0


def _fast() -> Times:
    """Business time ten times as fast as the machine's, so that retention looks often enough."""
    return virtual_times(START, speed=10.0)


async def _one_life(node: Node, **submit: str) -> str:
    media = await node.client("chat")
    key = (
        await media.interaction.submit(media_type="chat", queue="Chats", **submit)  # type: ignore[arg-type]  # texts only
    ).interaction_id
    await media.interaction.stop(interaction_id=key)
    return key


def test_events_past_their_retention_go_and_the_gap_is_told() -> None:
    """Two hours later the first events are gone; a position before them gets resync_required."""

    async def scenario() -> None:
        times = _fast()
        options = {"settings": {"event-retention": "2h"}}
        async with running_node(times, options=options) as node:
            await _one_life(node)
            report = await node.client("report", "reporting")
            first = (await report.event.read(limit=1)).items[0]
            await times.business.sleep(1 * HOUR)
            assert (await report.event.read(after=first.position)).items
            await _one_life(node)
            await times.business.sleep(1.5 * HOUR + 10 * CHECK_S)
            page = await report.event.read(after=first.position)
            assert page.resync_required
            assert [e.event_id for e in page.items] == [3, 4]
            assert not (await report.event.read(after=page.position)).resync_required
            assert not (await report.event.read()).resync_required

    run_virtual(scenario())


def test_event_retention_is_taken_live() -> None:
    """A shorter retention acts at the next look."""

    async def scenario() -> None:
        times = _fast()
        async with running_node(times) as node:
            await _one_life(node)
            report = await node.client("report", "reporting")
            await times.business.sleep(3 * HOUR + 10 * CHECK_S)
            assert len((await report.event.read()).items) == 2
            node.server._settings.update({"settings": {"event-retention": "2h"}})
            await times.business.sleep(10 * CHECK_S)
            assert (await report.event.read()).items == ()

    run_virtual(scenario())


def test_a_registered_reader_is_waited_for_up_to_twice_the_retention() -> None:
    """What it has not confirmed stays; silent for a whole retention more, it is forgotten."""

    async def scenario() -> None:
        times = _fast()
        options = {"settings": {"event-retention": "4h"}}
        async with running_node(times, options=options) as node:
            await _one_life(node)
            report = await node.client("report", "reporting")
            first = (await report.event.read(limit=1)).items[0]
            await times.business.sleep(3 * HOUR)
            await report.event_reader.confirm(reader="hist", position=first.position)
            await times.business.sleep(2 * HOUR)
            page = await report.event.read(reader="hist")
            assert [e.event_id for e in page.items] == [2]
            assert not page.resync_required
            await times.business.sleep(2 * HOUR + 10 * CHECK_S)
            assert (await report.event_reader.list()).items == ()
            assert (await report.event.read()).items == ()

    run_virtual(scenario())


def test_finished_interactions_go_after_their_retention_with_their_data() -> None:
    """Findable by id until then; afterwards not_found, and a client-made id may be used again."""

    async def scenario() -> None:
        times = _fast()
        options = {"settings": {"finished-retention": "2h"}}
        async with running_node(times, options=options) as node:
            media = await node.client("chat")
            key = await _one_life(node, interaction_id="mine")
            kept = await media.interaction.submit(media_type="chat", queue="Chats")
            await times.business.sleep(1 * HOUR)
            assert (await media.interaction.get(interaction_id=key)).state == "stopped"
            await times.business.sleep(1 * HOUR + 10 * CHECK_S)
            with pytest.raises(PacelineError, match="not_found"):
                await media.interaction.get(interaction_id=key)
            await _one_life(node, interaction_id="mine")
            still = await media.interaction.get(interaction_id=kept.interaction_id)
            assert still.state == "queued"
            rows = await node.server._database.fetch(
                "SELECT count(*) FROM interaction.interaction_data"
            )
            assert rows[0][0] == 2

    run_virtual(scenario())


def test_a_stream_behind_the_retention_is_told_at_its_opening() -> None:
    """It begins with the oldest event kept and says that events before are gone."""

    async def scenario() -> None:
        times = _fast()
        options = {"settings": {"event-retention": "1h"}}
        async with running_node(times, options=options) as node:
            await _one_life(node)
            report = await node.client("report", "reporting")
            first = (await report.event.read(limit=1)).items[0]
            await times.business.sleep(1 * HOUR + 10 * CHECK_S)
            await _one_life(node)
            opened = []
            seen: list[EventNotice] = []
            report.event.subscribe(
                lambda: StreamEvents(after=first.position), seen.append, opened.append
            )
            await times.machine.sleep(0.1)
            assert opened[0].resync_required
            assert [e.event_id for n in seen for e in n.items] == [3, 4]

    run_virtual(scenario())


def test_a_search_finds_finished_interactions_when_asked_to() -> None:
    """include_finished: in work and finished ones in one order, page by page, with their end."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            media = await node.client("chat")
            ids = []
            for count in range(6):
                answer = await media.interaction.submit(
                    media_type="chat", queue="Chats", external_id="A7", priority=count % 3
                )
                ids.append(answer.interaction_id)
            for key in ids[::2]:
                await media.interaction.stop(interaction_id=key, reason="done")
            condition = "ExternalId = 'A7'"
            only = await media.interaction.find(condition=condition)
            assert [i.interaction_id for i in only.interactions] == ids[1::2]
            for order in ("", "priority desc"):
                found = []
                continuation, complete = None, False
                while not complete:
                    page = await media.interaction.find(
                        condition=condition, order=order, limit=2, include_finished=True,
                        continuation=continuation,
                    )  # fmt: skip
                    found += page.interactions
                    continuation, complete = page.continuation, page.complete
                assert sorted(i.interaction_id for i in found) == sorted(ids)
                if order:
                    assert [i.priority for i in found] == [2, 2, 1, 1, 0, 0]
                else:
                    assert [i.interaction_id for i in found] == ids
                ends = {i.interaction_id: (i.state, i.stop_reason, i.is_locked) for i in found}
                assert ends[ids[0]] == ("stopped", "done", False)
                assert ends[ids[1]] == ("queued", None, False)

    run_virtual(scenario())

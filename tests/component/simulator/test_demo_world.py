"""The demo's world on real servers: nobody is doubled, nobody is lost, nobody does more than they may."""

from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack

import msgspec

from paceline.model import events
from paceline.model.capacity import capacity_of
from paceline.model.configuration import Person
from paceline.model.instant import to_millis
from paceline.runtime.chance import Chance
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import InteractionServerClient
from paceline.simulator.bank_day import BankTraffic, bank_day
from paceline.simulator.fates import Fates
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event
from tests.component.simulator.neighbours import (
    OPENING,
    Stage,
    build_stage,
    example_site,
    sqlite,
)
from tests.fakes.configuration import SnapshotBuilder


async def all_events(client: InteractionServerClient) -> list[Event]:
    """The whole log."""
    found: list[Event] = []
    position: str | None = None
    while True:
        page = await client.event.read(after=position, limit=1000)
        found += page.items
        if page.complete:
            return found
        position = page.position


def named(log: list[Event], name: str) -> list[Event]:
    """Events of one name."""
    return [event for event in log if event.name == name]


def most_at_once(log: list[Event]) -> Counter[tuple[str, str]]:
    """The most interactions an agent ever handled at once, by agent and medium."""
    now: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for event in log:
        data = msgspec.json.decode(event.data)
        if event.agent is None or data.get("party") != "agent":
            continue
        key = (event.agent, data["media_type"])
        now[key] += 1 if event.name == events.PARTY_ADDED else -1
        most[key] = max(most[key], now[key])
    return most


def arrivals(seed: int, minutes: float, scale: float) -> int:
    """Reactive customers of the bank's day in its first minutes."""
    traffic = BankTraffic(Chance(seed), opening=OPENING, scale=scale)
    return len(traffic.arrivals(OPENING, Millis(OPENING + int(minutes * 60_000))))


def test_what_the_day_brings_is_counted_once() -> None:
    """All customers come once; agents keep to their capacity; all counts of the summary agree."""

    async def run() -> None:
        times = virtual_times(OPENING)
        async with AsyncExitStack() as stack:
            stage = await build_stage(stack, times)
            lived = await stage.world()
            await times.business.sleep(20 * 60)
            await lived.world.stop()
            summary = await lived.world.summary()
            log = await all_events(stage.engine.interactions)

            submitted = named(log, events.INTERACTION_SUBMITTED)
            accepted = len(stage.engine.accepted)
            assert len(submitted) - accepted == arrivals(1, 20, 1.0) == summary.reactive.arrived
            assert accepted > 20
            assert summary.accepted == accepted
            assert 0 <= summary.abandoned <= accepted
            assert summary.invitations == stage.engine.sent.total()
            assert summary.interactions.submitted == len(submitted)
            assert summary.interactions.submitted == (
                summary.interactions.stopped + summary.interactions.in_system
            )
            assert summary.events == summary.events_recounted
            assert 0.2 < summary.utilization <= 1.0
            assert abs(summary.business_hours - 1 / 3) < 0.01
            assert summary.log_errors == 0
            assert summary.goal_percent == 3.0

            snapshot = stage.node.configuration.snapshot
            most = most_at_once(log)
            assert len(most) > 20
            for (agent, media), at_once in most.items():
                assert at_once <= capacity_of(snapshot, 1, agent)[media]

            counts = lived.world.visitor_counts
            assert counts.invited > accepted
            assert counts.failed == 0
            done = counts.unasked + counts.refused + counts.invited
            assert 0 <= counts.came - done <= 3

    run_virtual(run())


def test_a_killed_world_is_taken_up() -> None:
    """World and servers die at once: after the restart nobody is submitted twice or forgotten."""

    async def run() -> None:
        times = virtual_times(OPENING)
        scale = 1.0
        async with AsyncExitStack() as databases:
            interactions = await sqlite(databases, times)
            statistics = await sqlite(databases, times)
            async with AsyncExitStack() as stack:
                stage = await build_stage(
                    stack, times, interactions=interactions, statistics=statistics
                )
                stage.engine.limit = 1
                lived = await stage.world(scale=scale)
                await times.business.sleep(12 * 60)
                before = await open_interactions(stage)
                assert "handling" in before.values()
                await lived.kill()
            async with AsyncExitStack() as stack:
                stage = await build_stage(
                    stack, times, interactions=interactions, statistics=statistics, epoch=2
                )
                stage.engine.limit = 1
                lived = await stage.world(scale=scale)
                client = stage.engine.interactions
                await all_stopped(client, before, times)
                await lived.world.stop()
                summary = await lived.world.summary()
                log = await all_events(client)
                reactive = [
                    event
                    for event in named(log, events.INTERACTION_SUBMITTED)
                    if not msgspec.json.decode(event.data).get("keys")
                ]
                minutes = (times.business.now() - OPENING) / 60_000
                assert len(reactive) == arrivals(1, minutes, scale)
                assert summary.events == summary.events_recounted
                assert summary.interactions.submitted == (
                    summary.interactions.stopped + summary.interactions.in_system
                )

    run_virtual(run())


async def all_stopped(
    client: InteractionServerClient, keys: Iterable[str], times: Times, minutes: int = 75
) -> None:
    """Returns when all are; fails when one is not after longer than the longest work takes."""
    for _ in range(minutes):
        await times.business.sleep(60)
        found = [await client.interaction.get(interaction_id=key) for key in keys]
        if all(one.state == "stopped" for one in found):
            return
    raise AssertionError([one for one in found if one.state != "stopped"])


async def open_interactions(stage: Stage) -> dict[str, str]:
    """State of all interactions in work."""
    page = await stage.engine.interactions.interaction.find(
        condition="InteractionState < 4", limit=500
    )
    return {found.interaction_id: found.state for found in page.interactions}


def test_agents_come_back_after_a_lost_link() -> None:
    """The desk's link breaks: all attach to their sessions again and finish what they had."""

    async def run() -> None:
        times = virtual_times(OPENING)
        async with AsyncExitStack() as stack:
            stage = await build_stage(stack, times)
            lived = await stage.world()
            await times.business.sleep(5 * 60)
            client = stage.engine.interactions
            sessions = (await client.agent.list(limit=100)).items
            held = [key for session in sessions for key in session.handling]
            assert held
            for link in stage.node.served.links[-2:]:  # the world's own, media and desk
                await link.close()
            await times.machine.sleep(5)
            after = (await client.agent.list(limit=100)).items
            assert len(after) == len(sessions)
            assert all(session.is_connected for session in after)
            await all_stopped(client, held, times)
            await lived.world.stop()

    run_virtual(run())


def test_a_kill_changes_nobodys_patience() -> None:
    """Who waits with no agent there leaves when their own patience is over, whatever happened between."""

    async def run() -> None:
        times = virtual_times(OPENING)
        site = without_agents()
        async with AsyncExitStack() as databases:
            interactions = await sqlite(databases, times)
            async with AsyncExitStack() as stack:
                stage = await build_stage(stack, times, interactions=interactions, site=site)
                lived = await stage.world()
                await times.business.sleep(10 * 60)
                before = await open_interactions(stage)
                assert len(before) > 10
                await lived.kill()
            async with AsyncExitStack() as stack:
                stage = await build_stage(
                    stack, times, interactions=interactions, epoch=2, site=site
                )
                lived = await stage.world()
                await times.business.sleep(10 * 60)
                client, fates = stage.engine.interactions, Fates(Chance(1), bank_day())
                for interaction_id in before:
                    found = await client.interaction.get(interaction_id=interaction_id)
                    came = to_millis(found.received_at, field="received_at")
                    waited_s = (times.business.now() - came) / 1000
                    left = fates.patience_s(interaction_id)
                    if abs(left - waited_s) > 1:
                        assert (found.state == "stopped") == (left < waited_s)
                await lived.world.stop()

    run_virtual(run())


def without_agents() -> SnapshotBuilder:
    """The example on a day on which all agents are at home."""
    site = example_site()
    for item in site.build().objects.values():
        if isinstance(item.body, Person):
            site.replace(item.id, state="disabled")
    return site

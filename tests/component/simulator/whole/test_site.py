"""The whole site on virtual time: it works and outlives its processes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from paceline.runtime.chance import Chance
from paceline.sdk import InteractionServerClient, PacingServerClient
from paceline.simulator.whole.faults import Faults
from paceline.simulator.whole.http import HttpFact
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.site import SimulatedSite
from paceline.wire.operations.engagement import Report

TAKEOVER_S = 6.0
"""A lease (4 s), a poll, a start from the store and the clients' reconnection (ARCHITECTURE: decision 7)."""


def _run(test: Callable[[SimulatedSite], Coroutine[Any, Any, None]]) -> RehearsalLog:
    log = RehearsalLog()

    async def run() -> None:
        async with SimulatedSite(chance=Chance(3), log=log) as site:
            await test(site)
        assert site.crashes == []

    run_simulated(run())
    return log


def _interactions(site: SimulatedSite) -> InteractionServerClient:
    return InteractionServerClient(site.connect("interaction", "media_server", client="test"))


def test_reports_reach_the_engine_over_its_real_http_edge() -> None:
    """The pacing master's reports arrive and are answered with 200; taps see their permits."""
    facts: list[HttpFact] = []

    async def test(site: SimulatedSite) -> None:
        site.tap(facts.append)
        await site.times.machine.sleep(20)

    _run(test)
    reports = [one for one in facts if one.path.endswith("/pacing")]
    assert {one.status for one in reports if one.moment == "received"} == {200}
    bodies = [one.body for one in reports if one.moment == "arrived"]
    epochs = {msgspec.json.decode(body, type=Report).epoch for body in bodies}
    assert len(bodies) >= 3 and len(epochs) == 1


def test_the_standby_takes_over_what_was_acknowledged() -> None:
    """After a kill of the interaction node's primary the other process serves the same store."""

    async def test(site: SimulatedSite) -> None:
        client = _interactions(site)
        first = await client.interaction.submit(media_type="email", queue="E-mails", timeout_s=5)
        [primary] = [n for n in ("interaction-a", "interaction-b") if site.places[n].is_working]
        site.kill(primary)
        began_at = site.times.machine.monotonic()
        await site.times.machine.sleep(0.1)  # the client hears of it
        second = await client.interaction.submit(media_type="email", queue="E-mails", timeout_s=20)
        assert site.times.machine.monotonic() - began_at < TAKEOVER_S
        known = await client.interaction.get(interaction_id=first.interaction_id, timeout_s=5)
        assert known.interaction_id == first.interaction_id
        assert first.interaction_id < second.interaction_id
        await site.times.machine.sleep(6)
        assert site.places[primary].process is not None

    log = _run(test)
    assert log.about("killed")


def test_every_place_comes_back_after_a_kill() -> None:
    """Whatever is killed, all at once, the site works again by itself."""

    async def test(site: SimulatedSite) -> None:
        for name in site.places:
            site.kill(name)
        await site.wait_working(60)
        client = _interactions(site)
        await client.interaction.submit(media_type="chat", queue="Chats", timeout_s=20)

    _run(test)


def test_a_paused_pacing_master_is_replaced() -> None:
    """A pause longer than the lease gives the cluster another master with a higher epoch."""

    async def test(site: SimulatedSite) -> None:
        nodes = {
            name: PacingServerClient(
                site.connect("pacing", "operator", client="test", application=name)
            )
            for name in ("pacing-1", "pacing-2")
        }
        await site.times.machine.sleep(10)
        before = {name: (await nodes[name].cluster.get()).nodes[0] for name in nodes}
        [master] = [name for name in nodes if before[name].is_master]
        [other] = nodes.keys() - {master}
        site.pause(master, 30)
        await site.times.machine.sleep(10)
        after = (await nodes[other].cluster.get()).nodes[0]
        assert after.is_master
        assert after.epoch > before[master].epoch

    _run(test)


def test_the_site_works_again_after_hostile_minutes() -> None:
    """Once faults stop, every application works within a minute."""

    async def test(site: SimulatedSite) -> None:
        faults = Faults(site, "hostile", seed=8, most_faults=30)
        task = asyncio.get_running_loop().create_task(faults.run())
        while not task.done():
            await site.times.machine.sleep(10)
        await faults.stop()
        await site.wait_working(60)
        assert faults.count == 30

    _run(test)

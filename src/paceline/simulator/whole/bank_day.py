"""The bank's day through the whole servers on virtual time: two pacing policies with the same people.

Called by `paceline rehearse bank-day`. Nothing goes wrong here; the seed of a pair gives both
policies the same customers, visitors and agents.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import sqrt
from multiprocessing import get_context
from typing import Final

import msgspec
from scipy.special import stdtrit

from paceline.model.configuration import Application
from paceline.runtime.chance import Chance
from paceline.runtime.log import log_silenced
from paceline.runtime.times import MachineTime
from paceline.sdk import (
    ConfigurationFollower,
    ConfigurationServerClient,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    StatServerClient,
)
from paceline.sdk.listing import listed
from paceline.simulator.summary import DemoSummary, SiteClients
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.site import START, SimulatedSite
from paceline.simulator.whole_site import DemoWorld

PATIENCE_S: Final = 60.0
"""How long a client may take to connect to a site that nothing disturbs (chosen)."""


class BankDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day: what the servers counted, and how long it took."""

    seed: int
    policy: str
    summary: DemoSummary
    real_s: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Paired days under two policies. Utilization is a share; the difference is first less second.

    The 95 % interval is Student's over the pairs; not a number with one pair.
    """

    policies: tuple[str, str]
    pairs: int
    hours: float
    utilization: tuple[float, float]
    difference: float
    low: float
    high: float
    abandoned_percent: tuple[float, float]
    accepted: tuple[int, int]
    hours_per_s: float


def live(seed: int, policy: str, hours: float) -> BankDay:
    """One day of so many hours from 08:00 on."""
    real = MachineTime()
    began_at = real.monotonic()
    with log_silenced():
        summary = run_simulated(_live(seed, policy, 3600 * hours))
    return BankDay(seed=seed, policy=policy, summary=summary, real_s=real.monotonic() - began_at)


def live_all(
    seeds: Sequence[int], policies: tuple[str, str], hours: float, jobs: int
) -> Iterator[BankDay]:
    """Both policies' days of each seed, in order, several at once."""
    works = [(seed, policy) for seed in seeds for policy in policies]
    if jobs == 1:
        yield from (live(seed, policy, hours) for seed, policy in works)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(live, seed, policy, hours) for seed, policy in works]
        for future in futures:
            yield future.result()


def compare(days: Sequence[BankDay], policies: tuple[str, str], hours: float) -> Comparison:
    """What the pairs came to."""
    first, second = ([day for day in days if day.policy == policy] for policy in policies)
    differences = [
        a.summary.utilization - b.summary.utilization for a, b in zip(first, second, strict=True)
    ]
    count = len(differences)
    mean = sum(differences) / count
    half = float("nan")
    if count > 1:
        variance = sum((value - mean) ** 2 for value in differences) / (count - 1)
        half = float(stdtrit(count - 1, 0.975)) * sqrt(variance / count)
    return Comparison(
        policies=policies,
        pairs=count,
        hours=hours,
        utilization=(_mean_utilization(first), _mean_utilization(second)),
        difference=mean,
        low=mean - half,
        high=mean + half,
        abandoned_percent=(_abandoned_percent(first), _abandoned_percent(second)),
        accepted=(_accepted(first), _accepted(second)),
        hours_per_s=hours * len(days) / sum(day.real_s for day in days),
    )


def _mean_utilization(days: Sequence[BankDay]) -> float:
    return sum(day.summary.utilization for day in days) / len(days)


def _accepted(days: Sequence[BankDay]) -> int:
    return sum(day.summary.accepted for day in days)


def _abandoned_percent(days: Sequence[BankDay]) -> float:
    """Pooled over the days."""
    accepted = _accepted(days)
    return 100 * sum(day.summary.abandoned for day in days) / accepted if accepted else 0.0


async def _live(seed: int, policy: str, duration_s: float) -> DemoSummary:
    chance = Chance(seed)
    site = SimulatedSite(chance=chance, log=RehearsalLog())
    await site.start()
    client = site.configuration("bank")
    await _choose(client, policy)
    source = ConfigurationFollower(client)
    await source.start()
    clients = SiteClients(
        media=InteractionServerClient(site.connect("interaction", "media_server", client="bank")),
        desk=InteractionServerClient(site.connect("interaction", "agent", client="bank desks")),
        engagement=EngagementEngineClient(site.connect("engagement", "operator", client="bank")),
        stat=StatServerClient(site.connect("stat", "operator", client="bank")),
        pacing=PacingServerClient(site.connect("pacing", "operator", client="bank")),
        message=MessageServerClient(site.connect("message", "operator", client="bank")),
    )
    for connection in (clients.pacing.connection, clients.engagement.connection):
        await connection.wait_connected(PATIENCE_S)
    world = DemoWorld(
        clients=clients, configuration=source, times=site.times, chance=chance, opening=START
    )
    async with world:
        await site.times.business.sleep(duration_s)
    summary = await world.summary()
    await site.stop()
    return summary


async def _choose(client: ConfigurationServerClient, policy: str) -> None:
    """Makes the pacing cluster compute its permits this way."""
    body = msgspec.Raw(msgspec.json.encode({"options": {"pacing": {"algorithm": policy}}}))
    async for item in listed(client, "applications"):
        application = msgspec.json.decode(item.body, type=Application)
        if application.application_type == "application_cluster":
            await client.object.change(type=item.type, id=item.id, tenant=item.tenant, body=body)

"""The schedule of faults repeats, can be cut short, and leaves nothing broken when it stops."""

import asyncio

from paceline.runtime.chance import Chance
from paceline.simulator.whole.database import Weather
from paceline.simulator.whole.faults import Faults
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.network import SimulatedNetwork
from paceline.simulator.whole.plan import Profile
from paceline.simulator.whole.site import SimulatedSite

DURATION_S = 120.0


def _faults_of(profile: Profile, most_faults: int | None = None) -> list[str]:
    """Lines of all faults of a site that nobody uses; it must be whole after their stop."""
    log = RehearsalLog()

    async def run() -> None:
        site = SimulatedSite(chance=Chance(21), log=log)
        await site.start()
        faults = Faults(site, profile, 21, most_faults=most_faults)
        asyncio.get_running_loop().create_task(faults.run())
        await site.times.machine.sleep(DURATION_S)
        await faults.stop()
        _assert_whole(site)

    run_simulated(run())
    return [line for line in log.lines if " fault " in line]


def _assert_whole(site: SimulatedSite) -> None:
    names = [*site.places, *site.machines]
    assert not any(site.network.is_blocked(a, b) for a in names for b in names)
    assert not any(_is_slow(site.network, a, b) for a in names for b in names)
    assert all(store.weather == Weather() and not store.cut_from for store in site.stores.all)
    assert all(process.runs and not process.clock.offset_ms for process in site.processes.values())
    assert site.http.lost_share == 0.0


def _is_slow(network: SimulatedNetwork, source: str, target: str) -> bool:
    return min(network.delay_s(source, target) for _ in range(3)) > 0.005


def test_a_cut_schedule_is_a_prefix_of_the_whole() -> None:
    """With fewer faults the ones that are left come at the same instants to the same targets."""
    whole, cut = _faults_of("hostile"), _faults_of("hostile", most_faults=5)
    assert len(whole) > 5
    assert whole[: len(cut)] == cut
    assert 2 <= len(cut) <= 5


def test_a_calm_run_has_no_faults() -> None:
    """Only the network's ordinary delays are left."""
    assert _faults_of("calm") == []

"""What goes wrong during a rehearsal: a schedule drawn from the seed, applied to a site.

Used by the rehearsal. The n-th fault of a seed comes at the same instant whatever the others did;
it hits what is there at that instant. Every fault is written to the log, and so is its end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final, TypeVar

from paceline.runtime.chance import Chance, Stream
from paceline.runtime.tasks import TaskGroup
from paceline.simulator.whole.configuration import CONFIGURATION, PLACES
from paceline.simulator.whole.database import Store, Weather
from paceline.simulator.whole.network import Way
from paceline.simulator.whole.plan import Profile
from paceline.simulator.whole.site import SimulatedSite

X = TypeVar("X")
Heal = Callable[[], None]
"""Takes a fault back; twice is never needed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A fault as it was applied: what it is and hits, how long it lasts, how it ends by itself."""

    target: str
    words: str
    lasts_s: float = 0.0
    heal: Heal | None = None


Apply = Callable[[SimulatedSite, Stream], Applied | None]
"""Applies a fault; None when there is nothing that it could hit."""


def _kill(site: SimulatedSite, chance: Stream) -> Applied | None:
    name = _one(list(site.processes), chance)
    if name is None:
        return None
    site.kill(name)
    return Applied(name, "killed")


def _end(site: SimulatedSite, chance: Stream) -> Applied | None:
    name = _one([name for name, place in site.places.items() if place.is_working], chance)
    if name is None:
        return None
    site.places[name].end("an ordered restart")
    return Applied(name, "restarted in order")


def _pause(site: SimulatedSite, chance: Stream) -> Applied | None:
    name = _one([name for name, process in site.processes.items() if process.runs], chance)
    if name is None:
        return None
    lasts_s = chance.choice((chance.uniform(0.2, 3.0), chance.uniform(3.0, 45.0)))
    process = site.processes[name]
    process.pause()
    return Applied(name, "stands still", lasts_s, process.resume)


def _wrong_clock(site: SimulatedSite, chance: Stream) -> Applied | None:
    name = _one(list(site.processes), chance)
    if name is None:
        return None
    clock, step_ms = site.processes[name].clock, int(chance.uniform(-5000, 5000))
    clock.offset_ms += step_ms

    def heal() -> None:
        clock.offset_ms -= step_ms

    words = f"has a clock that is off by {clock.offset_ms} ms"
    return Applied(name, words, chance.uniform(30, 300), heal)


def _cut(site: SimulatedSite, chance: Stream) -> Applied | None:
    way = _one(site.network.ways(), chance)
    return None if way is None else _blocked(site, [way, way[::-1]], "cut off", chance)


def _half_open(site: SimulatedSite, chance: Stream) -> Applied | None:
    way = _one(site.network.ways(), chance)
    if way is None:
        return None
    if chance.random() < 0.5:
        way = way[::-1]
    return _blocked(site, [way], "heard no more", chance)


def _isolated(site: SimulatedSite, chance: Stream) -> Applied:
    name = chance.choice([CONFIGURATION.name, *(place.name for place in PLACES)])
    others = [*site.places, *site.machines]
    ways = [way for other in others if other != name for way in ((name, other), (other, name))]
    return _blocked(site, ways, f"{name} is alone", chance)


def _blocked(site: SimulatedSite, ways: list[Way], words: str, chance: Stream) -> Applied:
    for way in ways:
        site.network.block(*way)

    def heal() -> None:
        for way in ways:
            site.network.unblock(*way)

    lasts_s = chance.choice((chance.uniform(0.2, 5.0), chance.uniform(5.0, 60.0)))
    return Applied(" to ".join(ways[0]), words, lasts_s, heal)


def _slow(site: SimulatedSite, chance: Stream) -> Applied | None:
    way = _one(site.network.ways(), chance)
    if way is None:
        return None
    mean_s = chance.choice((0.01, 0.1, 1.0))
    for source, target in (way, way[::-1]):
        site.network.slow_down(source, target, mean_s)

    def heal() -> None:
        for source, target in (way, way[::-1]):
            site.network.slow_down(source, target, 0.0)

    return Applied(" to ".join(way), f"takes {mean_s:g} s longer", chance.uniform(5, 60), heal)


def _reset(site: SimulatedSite, chance: Stream) -> Applied | None:
    way = _one(site.network.ways(), chance)
    if way is None:
        return None
    count = site.network.reset(*way)
    return Applied(" to ".join(way), f"{count} links broke")


def _lost_http(site: SimulatedSite, chance: Stream) -> Applied:
    site.http.lost_share = 0.3

    def heal() -> None:
        site.http.lost_share = 0.0

    return Applied("pacing to engagement", "reports break", chance.uniform(10, 60), heal)


def _weather(make: Callable[[], Weather], shortest_s: float, longest_s: float) -> Apply:
    """A store behaves badly for a while; a newer badness replaces an older one."""

    def apply(site: SimulatedSite, chance: Stream) -> Applied:
        store = _store(site, chance)
        weather = store.weather = make()

        def heal() -> None:
            if store.weather is weather:
                store.weather = Weather()

        lasts_s = chance.uniform(shortest_s, longest_s)
        return Applied(f"database {store.name}", str(weather), lasts_s, heal)

    return apply


def _cut_from_database(site: SimulatedSite, chance: Stream) -> Applied | None:
    place, store = chance.choice(list(site.places)), _store(site, chance)
    if place in store.cut_from:
        return None
    store.cut_from.add(place)
    heal = partial(store.cut_from.discard, place)
    return Applied(f"{place} to database {store.name}", "cut off", chance.uniform(1, 30), heal)


def _store(site: SimulatedSite, chance: Stream) -> Store:
    """Every third fault of databases hits the interaction node's: most depends on it."""
    if chance.random() < 1 / 3:
        return site.stores.store("interaction")
    return chance.choice(site.stores.all)


def _one(things: list[X], chance: Stream) -> X | None:
    return chance.choice(things) if things else None


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of fault, and how often in a simulated hour it comes in rough and hostile runs."""

    apply: Apply
    rough: float
    hostile: float


_KINDS: Final = (
    _Kind(_kill, 6, 30),
    _Kind(_end, 4, 12),
    _Kind(_pause, 6, 30),
    _Kind(_wrong_clock, 3, 10),
    _Kind(_cut, 6, 20),
    _Kind(_half_open, 6, 20),
    _Kind(_isolated, 2, 8),
    _Kind(_slow, 6, 20),
    _Kind(_reset, 12, 40),
    _Kind(_lost_http, 4, 10),
    _Kind(_cut_from_database, 3, 12),
    _Kind(_weather(lambda: Weather(away_share=1.0), 0.5, 15), 3, 12),
    _Kind(_weather(lambda: Weather(away_share=0.2), 5, 60), 3, 12),
    _Kind(_weather(lambda: Weather(lost_share=0.2), 5, 60), 4, 16),
    _Kind(_weather(lambda: Weather(killed_share=0.05), 2, 20), 3, 12),
    _Kind(_weather(lambda: Weather(extra_delay_s=0.3), 5, 60), 3, 12),
    _Kind(_weather(lambda: Weather(is_disk_full=True), 1, 30), 2, 8),
)
"""Rates chosen: a rough hour has a fault a minute, far more than a bad day; a hostile one has a
fault every 13 s, so that most come while an earlier one still lasts. A calm run has none."""


class Faults:
    """The faults of one run.

    Parameters
    ----------
    most_faults
        Nothing goes wrong after so many; None for no end.
    on_fault
        Called after each fault and after each end of one.
    """

    def __init__(
        self,
        site: SimulatedSite,
        profile: Profile,
        seed: int,
        *,
        most_faults: int | None = None,
        on_fault: Callable[[], None] = lambda: None,
    ) -> None:
        self.count = 0
        self._site = site
        self._chance = Chance(seed).stream("faults")
        rates = {
            "calm": [],
            "rough": [k.rough for k in _KINDS],
            "hostile": [k.hostile for k in _KINDS],
        }
        self._rates: list[float] = rates[profile]
        self._most = inf if most_faults is None else most_faults
        self._on_fault = on_fault
        self._is_stopped = False
        self._lasting: dict[int, tuple[Applied, Heal]] = {}
        self._tasks = TaskGroup("faults", self._broke)

    async def run(self) -> None:
        """Apply faults until the schedule is cut off or stopped."""
        machine = self._site.times.machine
        total = sum(self._rates)
        while total and self.count < self._most:
            await machine.sleep(self._chance.exponential(3600.0 / total))
            if self._is_stopped:
                return
            [kind] = self._chance.choices(_KINDS, self._rates)
            # A stream of its own: what one fault draws does not move the next ones.
            details = Stream(self._chance.getrandbits(64))
            self.count += 1
            self._apply(kind, details)

    async def stop(self) -> None:
        """No more faults, and everything that still lasts ends now."""
        self._is_stopped = True
        await self._tasks.aclose()
        for number in tuple(self._lasting):
            self._heal(number)

    def _apply(self, kind: _Kind, details: Stream) -> None:
        number = self.count
        applied = kind.apply(self._site, details)
        if applied is None:
            return
        lasts = f" for {applied.lasts_s:.3f} s" if applied.heal else ""
        self._site.log.write("fault", applied.target, f"#{number} {applied.words}{lasts}")
        if applied.heal is not None:
            self._lasting[number] = applied, applied.heal
            self._tasks.start(f"end of fault {number}", self._end(number, applied.lasts_s))
        self._on_fault()

    async def _end(self, number: int, after_s: float) -> None:
        await self._site.times.machine.sleep(after_s)
        self._heal(number)

    def _heal(self, number: int) -> None:
        applied, heal = self._lasting.pop(number)
        heal()
        self._site.log.write("healed", applied.target, f"#{number} {applied.words}")
        self._on_fault()

    def _broke(self, reason: str) -> None:
        self._site.log.write("broken", "faults", reason)

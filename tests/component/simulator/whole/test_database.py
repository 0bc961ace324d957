"""Stores outlive processes; each fault of a database keeps the port's promises."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.simulator.whole.database import FaultyDatabase, Store, Weather
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.process import SimulatedProcess
from paceline.storage.database import Transaction
from paceline.storage.postgres import ANSWER_TIMEOUT_S
from paceline.units.quantities import Millis


class World:
    """A store with a table of numbers, and processes that use it."""

    def __init__(self) -> None:
        self.chance = Chance(11)
        self.store = Store("test", self.chance)
        self.life = 0

    def process(self) -> tuple[SimulatedProcess, FaultyDatabase]:
        self.life += 1
        process = SimulatedProcess("p", self.life, chance=self.chance, start=Millis(0))
        return process, FaultyDatabase(self.store, process)

    async def numbers(self) -> list[int]:
        rows = await self.store.content.fetch("SELECT n FROM stat.numbers ORDER BY n")
        return [row[0] for row in rows]


async def _add(database: FaultyDatabase, number: int) -> int:
    async def work(transaction: Transaction) -> int:
        await transaction.execute("INSERT INTO stat.numbers VALUES ($1)", number)
        return number

    return await database.transaction(work)


def _run(test: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        world = World()
        await world.store.content.execute("CREATE TABLE stat.numbers (n integer PRIMARY KEY)")
        await test(world)

    run_simulated(run())


def test_a_kill_leaves_no_lock_and_no_half() -> None:
    """Processes killed inside a transaction leave all of it or nothing, and the next one works."""

    async def test(world: World) -> None:
        world.store.weather = Weather(killed_share=1.0)
        for number in range(20):
            process, database = world.process()
            process.run(_add(database, number))
            await asyncio.sleep(1)
            assert process.is_dead
        world.store.weather = Weather()
        kept = await world.numbers()
        assert 0 < len(kept) < 20
        _, database = world.process()
        assert await _add(database, 99) == 99
        assert await world.numbers() == [*kept, 99]

    _run(test)


def test_a_lost_commit_is_unknown_and_may_have_happened() -> None:
    """The error says outcome unknown; some are in the database and some are not."""

    async def test(world: World) -> None:
        world.store.weather = Weather(lost_share=1.0)
        _, database = world.process()
        for number in range(20):
            with pytest.raises(PacelineError) as lost:
                await _add(database, number)
            assert (lost.value.name, lost.value.outcome) == ("outcome_unknown", "unknown")
        assert 0 < len(await world.numbers()) < 20

    _run(test)


@pytest.mark.parametrize("weather", [Weather(away_share=1.0), Weather(is_disk_full=True)])
def test_a_refused_change_did_not_happen(weather: Weather) -> None:
    """A database that is away or full refuses changes; a full one still answers questions."""

    async def test(world: World) -> None:
        world.store.weather = weather
        _, database = world.process()
        with pytest.raises(PacelineError) as refused:
            await _add(database, 1)
        assert (refused.value.name, refused.value.outcome) == ("database_unavailable", "not_done")
        assert await world.numbers() == []
        if weather.is_disk_full:
            assert await database.fetch("SELECT n FROM stat.numbers") == []

    _run(test)


def test_a_cut_way_delays_and_then_fails() -> None:
    """A statement waits out a short cut; a long one is given up after the driver's limit."""

    async def test(world: World) -> None:
        process, database = world.process()
        loop = asyncio.get_running_loop()
        world.store.cut_from.add(process.name)
        loop.call_later(3, world.store.cut_from.clear)
        assert await _add(database, 1) == 1
        assert loop.time() > 3
        world.store.cut_from.add(process.name)
        with pytest.raises(PacelineError, match="does not answer"):
            await _add(database, 2)
        assert loop.time() > 3 + ANSWER_TIMEOUT_S
        assert await world.numbers() == [1]

    _run(test)


def test_work_that_waits_for_something_else_is_a_mistake() -> None:
    """A transaction's work may only ask its transaction: anything else would hold its locks."""

    async def test(world: World) -> None:
        _, database = world.process()

        async def work(transaction: Transaction) -> None:
            await transaction.execute("INSERT INTO stat.numbers VALUES (1)")
            await asyncio.sleep(1)

        with pytest.raises(RuntimeError, match="something else"):
            await database.transaction(work)
        assert await world.numbers() == []

    _run(test)

"""Processes on one loop: killed ones never run again, paused ones go on where they stood."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

from paceline.runtime.chance import Chance
from paceline.runtime.ids import batch_id
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.process import SimulatedProcess
from paceline.units.quantities import Millis

START = Millis(1_700_000_000_000)


def _process(name: str = "a") -> SimulatedProcess:
    return SimulatedProcess(name, 1, chance=Chance(1), start=START)


async def _tick(said: list[str], process: SimulatedProcess, child: bool = True) -> None:
    machine = process.times.machine
    try:
        if child:
            asyncio.get_running_loop().create_task(_tick(said, process, child=False))
        while True:
            await machine.sleep(1)
            said.append(f"{process.name} {machine.monotonic():g}")
    finally:
        said.append("finally")


def _run(test: Coroutine[Any, Any, None]) -> None:
    run_simulated(test)


def test_a_killed_process_runs_nothing_again() -> None:
    """Neither its tasks, nor tasks they started, nor any finally block, also after collection."""

    async def test() -> None:
        said: list[str] = []
        process = _process()
        process.run(_tick(said, process))
        await asyncio.sleep(2.5)
        assert len(said) == 4
        process.kill()
        gc.collect()
        await asyncio.sleep(10)
        gc.collect()
        assert len(said) == 4

    _run(test())


def test_a_paused_process_goes_on_in_order() -> None:
    """While paused nothing of it runs; afterwards what became due runs, others are not held up."""

    async def test() -> None:
        said: list[str] = []
        a, b = _process("a"), _process("b")
        a.run(_tick(said, a, child=False))
        b.run(_tick(said, b, child=False))
        await asyncio.sleep(1.5)
        a.pause()
        await asyncio.sleep(3)
        assert said == ["a 1", "b 1", "b 2", "b 3", "b 4"]
        a.resume()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert said[5:] == ["a 4.5"]
        a.kill()
        b.kill()

    _run(test())


def test_a_timer_cancelled_while_parked_does_not_fire() -> None:
    """Parked callbacks can still be cancelled before the process goes on."""

    async def test() -> None:
        said: list[str] = []
        process = _process()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(1, said.append, "fired", context=process.context())
        loop.call_later(1, said.append, "second", context=process.context())
        process.pause()
        await asyncio.sleep(2)
        timer.cancel()
        process.resume()
        await asyncio.sleep(1)
        assert said == ["second"]

    _run(test())


def test_each_process_has_its_own_chance_and_clock() -> None:
    """Ids repeat for the same place and life; a wrong wall clock leaves monotonic time alone."""

    async def test() -> None:
        async def made() -> str:
            return batch_id()

        first, again, other = _process("a"), _process("a"), _process("b")
        ids = [await process.run(made()) for process in (first, again, other)]
        assert ids[0] == ids[1] != ids[2]
        first.clock.offset_ms = -2500
        await asyncio.sleep(1)
        assert first.times.machine.now() == first.times.business.now() == START - 1500
        assert first.times.machine.monotonic() == other.times.machine.monotonic() == 1
        assert other.times.machine.now() == START + 1000

    _run(test())


def test_a_process_may_die_by_what_it_does() -> None:
    """Death from within stops the task where it stands."""

    async def test() -> None:
        said: list[str] = []
        process = _process()

        async def work() -> None:
            try:
                await process.die()
            finally:
                said.append("finally")

        task = process.run(work())
        await asyncio.sleep(1)
        assert process.is_dead and not task.done() and said == []

    _run(test())

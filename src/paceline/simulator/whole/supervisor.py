"""Runs one place of the site as a service manager does: starts its process, again whenever it ends.

Used by site.py. Lives outside of all processes; what it starts lives inside.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Stream
from paceline.runtime.life_cycle import State
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.loop import WORLD
from paceline.simulator.whole.process import SimulatedProcess

RESTART_S = (0.1, 5.0)
"""Range of the pause before a process is started again: systemd's RestartSec is 0.1 s, a container
or a machine takes seconds (chosen)."""

STOP_PATIENCE_S = 90.0
"""A process that does not end in this time is killed (systemd's TimeoutStopSec)."""


class Host(Protocol):
    """A server with everything it needs, as a process runs it."""

    ended: asyncio.Event
    end_reason: str

    @property
    def state(self) -> State:
        """Where it is in its life."""
        ...

    async def start(self) -> None:
        """Begin to serve."""
        ...

    async def stop(self, reason: str = "") -> None:
        """Stop in order."""
        ...


class Supervisor:
    """One place and the process that runs there, if any."""

    def __init__(
        self,
        name: str,
        *,
        make_process: Callable[[str, int], SimulatedProcess],
        make_host: Callable[[SimulatedProcess], Host],
        chance: Stream,
        clock: MachineTime,
        log: RehearsalLog,
    ) -> None:
        self.name = name
        self.process: SimulatedProcess | None = None
        self.crashes: list[str] = []
        self._make_process = make_process
        self._make_host = make_host
        self._chance = chance
        self._clock = clock
        self._log = log
        self._host: Host | None = None
        self._life = 0
        self._may_restart = True
        self._ended = asyncio.Event()

    @property
    def is_working(self) -> bool:
        """Whether its server is started and runs."""
        process, host = self.process, self._host
        return (
            process is not None
            and process.runs
            and host is not None
            and host.state is State.STARTED
        )

    async def run(self) -> None:
        """Keep it running until `stop` or the end of the simulation."""
        while self._may_restart:
            await self._live()
            if self._may_restart:
                await self._clock.sleep(self._chance.uniform(*RESTART_S))

    def end(self, reason: str) -> None:
        """Ask the server to stop in order, as SIGTERM does; it is started again."""
        process, host = self.process, self._host
        if process is not None and host is not None:
            self._log.write("end", self.name, reason)
            loop = asyncio.get_running_loop()
            loop.call_soon(host.ended.set, context=process.context())
            loop.call_later(STOP_PATIENCE_S, process.kill, context=WORLD)

    async def stop(self) -> None:
        """Stop the server in order and for good; a process that stands still is killed."""
        self._may_restart = False
        process = self.process
        if process is None:
            return
        if process.is_paused:
            process.kill()
        self.end("the site stops")
        await self._ended.wait()

    async def _live(self) -> None:
        self._life += 1
        process = self.process = self._make_process(self.name, self._life)
        self._ended.clear()
        process.watch(lambda what: self._ended.set() if what == "killed" else None)
        self._log.write("start", self.name, f"life {self._life}")
        task = process.run(self._serve(process))
        task.add_done_callback(lambda _done: self._ended.set())
        await self._ended.wait()
        self.process = self._host = None
        how = "killed" if process.is_dead else self._outcome(task)
        process.kill()  # what an ordered stop may have left open
        self._log.write("stop", self.name, how)

    def _outcome(self, task: "asyncio.Task[None]") -> str:
        failure = task.exception()
        if failure is None:
            return "ended"
        if isinstance(failure, PacelineError):
            return f"{failure.name}: {failure.message}"
        self.crashes.append(f"{self.name}: {type(failure).__name__}: {failure}")
        return f"crashed: {type(failure).__name__}: {failure}"

    async def _serve(self, process: SimulatedProcess) -> None:
        """Inside the process, as `paceline serve` does it; a stop also breaks off a start."""
        host = self._host = self._make_host(process)
        tasks = TaskGroup(f"process {process}", lambda _reason: None)
        starting = tasks.answering("start", host.start())
        ending = tasks.answering("end", host.ended.wait())
        try:
            await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await ending
        finally:
            await tasks.aclose()
            await host.stop()
        if host.end_reason:
            raise PacelineError("internal_error", host.end_reason)

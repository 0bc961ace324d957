"""A simulated operating system process: it can be killed, paused and resumed, its clock may be wrong.

Made by site.py for each start of a server and for each client machine. Everything that is started
inside stays inside; what it holds in memory ends with it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from paceline.runtime.chance import Chance
from paceline.runtime.entropy import Entropy, use_entropy
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import BusinessTime, MachineTime, Times
from paceline.simulator.whole.loop import LoopProcess, SimulatedLoop, process_context
from paceline.units.quantities import Millis

T = TypeVar("T")


class ProcessClock(MachineTime):
    """Machine time of one process; its wall clock may be off, its monotonic time never is."""

    __slots__ = ("offset_ms",)

    def __init__(self, virtual_start: Millis) -> None:
        super().__init__(virtual_start)
        self.offset_ms = 0

    def now(self) -> Millis:
        """What this process takes for the UTC instant."""
        return Millis(super().now() + self.offset_ms)


class SimulatedProcess(LoopProcess):
    """One process from its start to its end.

    Parameters
    ----------
    name
        Name of its place in the site, the same for each start; faults and the network use it.
    life
        How often the place was started before and now.
    """

    def __init__(self, name: str, life: int, *, chance: Chance, start: Millis) -> None:
        super().__init__()
        self.name = name
        self.life = life
        self.clock = ProcessClock(start)
        # As `paceline serve` does: business time follows the machine's clock, right or wrong.
        self.times = Times(self.clock, BusinessTime(self.clock, speed=1.0, start=None))
        self._entropy = Entropy(chance.stream(f"entropy of {name} {life}").randbytes)
        self._mains = TaskGroup(f"process {name}", lambda _reason: None)
        self._watchers: list[Callable[[str], None]] = []

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether it stands still and will go on."""
        return not self.runs and not self.is_dead

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call it, outside of the process, with `killed`, `paused` or `resumed`."""
        self._watchers.append(watcher)

    def context(self) -> Context:
        """A new context of this process."""
        context = process_context(self)
        context.run(use_entropy, self._entropy)
        return context

    def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start it as a task of this process."""
        return self._mains.answering("main", work, context=self.context())

    def kill(self) -> None:
        """End it as SIGKILL does: none of its code runs again. Twice is fine."""
        if self.is_dead:
            return
        self.runs, self.is_dead = False, True
        self.take_parked()
        _loop().bury(self)
        self._tell("killed")

    async def die(self) -> None:
        """Killed by what it just does; never returns."""
        self.kill()
        await _loop().create_future()

    def pause(self) -> None:
        """Stop it as SIGSTOP does; only a process that runs."""
        if self.runs:
            self.runs = False
            self._tell("paused")

    def resume(self) -> None:
        """Let it go on as SIGCONT does; only a paused process."""
        if self.is_paused:
            self.runs = True
            _loop().resume(self.take_parked())
            self._tell("resumed")

    def _tell(self, what: str) -> None:
        for watcher in self._watchers:
            watcher(what)


def _loop() -> SimulatedLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SimulatedLoop):
        raise TypeError("simulated processes need run_simulated")
    return loop

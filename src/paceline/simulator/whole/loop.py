"""A virtual loop that carries several processes: each callback belongs to the one that asked for it.

Used by process.py and run by the rehearsal. Callbacks of a paused process wait in order; those of
a killed one never run again, not even a `finally`. Never decides who is paused or killed.
"""

import asyncio
import gc
import heapq
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, TypeVarTuple

from paceline.runtime.log import log_silenced
from paceline.runtime.virtual_loop import DEFAULT_LIMIT_S, VirtualLoop

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_REPEATED_CLOSES = 100
"""A buried task may wait this often in its `finally` blocks before it is left alone (chosen)."""


class LoopProcess:
    """What the loop knows of a process: whether its callbacks run now."""

    def __init__(self) -> None:
        self.runs = True
        self.is_dead = False
        self._parked: list[asyncio.Handle] = []

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep a callback for later; a dead process has no later."""
        if not self.is_dead:
            self._parked.append(handle)

    def take_parked(self) -> list[asyncio.Handle]:
        """Callbacks that became due while it was paused, in order."""
        parked, self._parked = self._parked, []
        return parked


_process: ContextVar[LoopProcess | None] = ContextVar("process", default=None)

WORLD = Context()
"""Context of what happens outside of all processes, such as a frame on its way."""


def process_context(process: LoopProcess) -> Context:
    """A new context in which everything belongs to this process."""
    context = Context()
    context.run(_process.set, process)
    return context


class _Handle(asyncio.Handle):
    __slots__ = ("process",)

    process: LoopProcess | None


class _Timer(asyncio.TimerHandle):
    __slots__ = ("process",)

    process: LoopProcess | None


class _Task(asyncio.Task[T]):
    """A task that knows its process."""

    process: LoopProcess | None = None


class SimulatedLoop(VirtualLoop):
    """See the module."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, limit_s: float = DEFAULT_LIMIT_S) -> None:
        super().__init__(limit_s)
        self._timers: list[tuple[float, int, _Timer]] = []
        self._timer_count = 0
        self._graveyard: list[_Task[Any]] = []
        self.set_exception_handler(_ignore_dead)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run it in the next turn, as its context's process."""
        if context is None:
            context = copy_context()
        handle = _Handle(callback, args, self, context)
        handle.process = context.get(_process)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # there is one thread

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run it at a time of this loop, as its context's process."""
        if context is None:
            context = copy_context()
        timer = _Timer(when, callback, args, self, context)
        timer.process = context.get(_process)
        self._timer_count += 1  # timers of one instant run in the order in which they were set
        heapq.heappush(self._timers, (when, self._timer_count, timer))
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run it after so many seconds, as its context's process."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """A task of its context's process."""
        if context is None:
            context = copy_context()
        task: _Task[T] = _Task(
            coro, loop=self, name=None if name is None else str(name), context=context, **options
        )
        task.process = context.get(_process)
        return task

    def _run_once(self) -> None:
        """One turn: everything that is ready; with nothing ready, time goes to the next timer.

        asyncio's own turn with a selector takes half of a simulation's time.
        """
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers or self._now > self._limit_s:
                self._jump(None if not timers else 0.0)  # tells who waits for ever
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                self._run_as_process(handle)

    def _run_as_process(self, handle: Any) -> None:
        process: LoopProcess | None = handle.process
        if process is None or process.runs:
            handle._run()
        else:
            process.hold(handle)

    def resume(self, handles: list[asyncio.Handle]) -> None:
        """Run parked callbacks in their order."""
        self._ready.extend(handles)

    def bury(self, process: LoopProcess) -> None:
        """Keep a dead process's tasks as they are, so that nothing of them ever runs."""
        for task in asyncio.all_tasks(self):
            if isinstance(task, _Task) and task.process is process:
                self._graveyard.append(task)

    def close(self) -> None:
        """Close the loop; then end what is left, whose last words nobody hears any more."""
        left = [*asyncio.all_tasks(self), *self._graveyard]
        super().close()
        self._graveyard.clear()
        with log_silenced(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a `finally` begins is never awaited
            for task in left:
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch
                _end_quietly(task.get_coro())
            left.clear()
            gc.collect()


def _end_quietly(work: Any) -> None:
    for _ in range(_REPEATED_CLOSES):
        try:
            work.close()
            return
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - a dead process's `finally` on a closed loop: all of it is void
            continue


def _ignore_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Says what the loop complains of, unless a killed process or the end left it behind."""
    if loop.is_closed():
        return
    subject = context.get("task") or context.get("future")
    process = getattr(subject, "process", None)
    if process is None or not process.is_dead:
        loop.default_exception_handler(context)


def run_simulated(main: Coroutine[Any, Any, T], *, limit_s: float = DEFAULT_LIMIT_S) -> T:
    """Run to its end in virtual time; what then still runs is switched off, not stopped.

    Raises
    ------
    VirtualTimeStuck
        When everything waits for ever, naming the tasks.
    """
    loop = SimulatedLoop(limit_s)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()

"""An event loop whose time is virtual: it jumps to the next timer when nothing else is left to do.

Used by the simulator and by tests, with memory links and SQLite inline. It never waits: sockets
and executor threads are refused, because it cannot see what they still have to do.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

DEFAULT_LIMIT_S = 31 * 86_400.0
"""Longest run in virtual seconds, chosen: a month; further on something only ticks for ever."""


class VirtualTimeStuck(RuntimeError):
    """Every task waits and no timer is left, or virtual time ran past its limit."""


class _JumpingSelector(selectors.DefaultSelector):
    """Looks at the loop's own wake-up pipe only, and jumps instead of waiting."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.get_map():
            raise RuntimeError("the virtual loop carries no sockets: use a memory link")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Asking the system costs more than a callback: only when nothing else is known to come.
        if timeout is None and (woken := super().select(0)):
            return woken
        if timeout != 0:
            self._jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop that starts at time 0 and whose waits take no time; same order on every run."""

    def __init__(self, limit_s: float = DEFAULT_LIMIT_S) -> None:
        self._now = 0.0
        self._limit_s = limit_s
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Refuse: the loop would jump while the thread still works."""
        raise RuntimeError(f"the virtual loop has no threads: run {func!r} inline")

    def _jump(self, wait_s: float | None) -> None:
        if wait_s is None or self._now > self._limit_s:
            waiting = ", ".join(sorted(task.get_name() for task in asyncio.all_tasks(self)))
            why = "no timer is left" if wait_s is None else "virtual time ran past its limit"
            raise VirtualTimeStuck(f"{why} at {self._now:.3f} s; waiting tasks: {waiting}")
        self._now += wait_s


def run_virtual(main: Coroutine[Any, Any, T], *, limit_s: float = DEFAULT_LIMIT_S) -> T:
    """Run to its end in virtual time and close the loop.

    Raises
    ------
    VirtualTimeStuck
        When everything waits for ever, naming the tasks.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(limit_s)) as runner:
        return runner.run(main)

"""Business timers of the made-up world on the event loop's own heap: no task waits for its time.

Every part starts its timers here; what is due runs as a short task of the world's group.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times

Work = Callable[[], Coroutine[Any, Any, object]]


class Timers:
    """Starts work at business times until closed."""

    def __init__(self, times: Times, tasks: TaskGroup) -> None:
        self._times = times
        self._tasks = tasks
        self._is_closed = False

    def after(self, business_s: float, name: str, work: Work) -> asyncio.TimerHandle:
        """Runs the work so many business seconds from now, at once for less than zero."""
        machine_s = self._times.business.machine_seconds(max(0.0, business_s))
        return asyncio.get_running_loop().call_later(machine_s, self._due, name, work)

    def now(self, name: str, work: Work) -> None:
        """Runs the work at once."""
        self._due(name, work)

    def close(self) -> None:
        """Nothing is started any more."""
        self._is_closed = True

    def _due(self, name: str, work: Work) -> None:
        if not self._is_closed:
            self._tasks.start(name, work())

"""Task groups: every background task of a server belongs to one and ends with it.

Opened and closed by a server's `server.py`. A failed task is logged once and reported to the
server, which fails: no task dies in silence. Never restarts a task.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from paceline.runtime.log import get_log

_log = get_log("tasks")
T = TypeVar("T")


class TaskGroup:
    """Background tasks of one owner.

    Parameters
    ----------
    on_failure
        Called with a sentence for people when a task failed; the owner then fails.
    """

    def __init__(self, owner: str, on_failure: Callable[[str], None]) -> None:
        self._owner = owner
        self._on_failure = on_failure
        # In the order of their start, so that a simulation ends them in the same order each time.
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run it in the background until it ends, is cancelled or the group closes.

        Raises
        ------
        RuntimeError
            When the group is closed; the work is not begun.
        """
        if self._is_closed:
            work.close()
            raise RuntimeError(f"{self._owner} is closed: task {name} cannot start")
        task = asyncio.create_task(self._supervise(name, work), name=f"{self._owner}:{name}")
        self._tasks[task] = None

        def forget(ended: asyncio.Task[None]) -> None:
            self._tasks.pop(ended, None)
            work.close()  # cancelled before its first step it was never awaited

        task.add_done_callback(forget)
        return task

    def answering(
        self, name: str, work: Coroutine[Any, Any, T], *, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Run it as the owner's task; its result or failure belongs to whoever holds the task.

        For requests: the edge that holds the task translates a failure, the owner does not fail.
        A simulation gives the context of the process in which it runs.
        """
        if self._is_closed:
            work.close()
            raise RuntimeError(f"{self._owner} is closed: task {name} cannot start")
        task = asyncio.create_task(work, name=f"{self._owner}:{name}", context=context)
        self._tasks[task] = None

        def forget(ended: asyncio.Task[T]) -> None:
            self._tasks.pop(ended, None)
            work.close()

        task.add_done_callback(forget)
        return task

    async def aclose(self) -> None:
        """Cancel all tasks and wait for their ends; may be repeated."""
        self._is_closed = True
        current = asyncio.current_task()
        others = [task for task in self._tasks if task is not current]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    async def _supervise(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception as failure:  # noqa: BLE001 - the one place that may: nobody else would see it
            _log.error(
                f"task {name} of {self._owner} failed",
                task=name,
                owner=self._owner,
                exc_info=failure,
            )
            self._on_failure(f"task {name} failed: {type(failure).__name__}: {failure}")

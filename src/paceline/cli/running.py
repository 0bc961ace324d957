"""Runs what serves until a signal, and what asks until it is answered, on the process's one loop.

Used by every command; the only place of this room that starts a loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

import uvloop

from paceline.errors.failure import PacelineError
from paceline.runtime.signals import stop_signals
from paceline.runtime.tasks import TaskGroup

T = TypeVar("T")


class Serves(Protocol):
    """What is started, runs until a signal or until it cannot go on, and is stopped."""

    ended: asyncio.Event
    end_reason: str

    async def start(self) -> None:
        """Begin to serve."""

    async def stop(self, reason: str = "") -> None:
        """Stop in order."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of its own."""
    return uvloop.run(work)


async def serve_until_stopped(
    server: Serves, then: Callable[[asyncio.Event], Awaitable[None]]
) -> None:
    """Start, do `then` with the event of SIGTERM or SIGINT, stop; a signal also breaks off a start.

    Raises
    ------
    PacelineError
        What refused the start, or `internal_error` when the server could not go on.
    """
    with stop_signals() as stop:
        tasks = TaskGroup("command", lambda _reason: stop.set())
        starting = tasks.answering("start", server.start())
        stopping = tasks.answering("signal", stop.wait())
        ending = tasks.answering("end", server.ended.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                working = tasks.answering("work", _finish(then(stop)))
                await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    working.result()
        finally:
            await tasks.aclose()
            await server.stop()
    if server.end_reason:
        raise PacelineError("internal_error", server.end_reason)


async def _finish(work: Awaitable[None]) -> None:
    await work

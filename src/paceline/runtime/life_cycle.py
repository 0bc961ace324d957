"""The life cycle every server has: start once, stop as often as one likes, also before the start.

Each `server.py` derives from `LifeCycle`; assembly starts and stops, status routes read the state.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self


class State(StrEnum):
    """What a server says of itself to the Configuration Server and to health checks."""

    INITIALIZING = "initializing"
    STARTED = "started"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


StateListener = Callable[[State, str], None]


class LifeCycle(ABC):
    """A thing that is started and stopped; also an async context manager."""

    def __init__(self) -> None:
        self._state = State.INITIALIZING
        self._reason = ""
        self._was_started = False
        self._turn = asyncio.Lock()
        self._listeners: list[StateListener] = []

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._state

    @property
    def reason(self) -> str:
        """Why it is unavailable or stopped, for people; empty when there is nothing to say."""
        return self._reason

    async def node_states(self) -> dict[str, str]:
        """State of each interaction node behind it, by node code; most servers have none."""
        return {}

    def watch_state(self, listener: StateListener) -> None:
        """Call it with each new state and its reason."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Start; after return it works, after an error it is stopped and all it held is given back.

        Raises
        ------
        RuntimeError
            When it was started or stopped before.
        """
        async with self._turn:
            if self._was_started or self._state is State.STOPPED:
                raise RuntimeError(f"{type(self).__name__} starts only once, it is {self._state}")
            self._was_started = True
            done = False
            try:
                await self._start()
                done = True
            finally:
                if not done:
                    await self._end("the start failed")
            if self._state is State.INITIALIZING:
                self._become(State.STARTED, "")

    async def stop(self, reason: str = "") -> None:
        """Stop and give back all it holds; waits for a start or stop that is under way."""
        async with self._turn:
            if self._state is not State.STOPPED:
                await self._end(reason)

    def set_unavailable(self, reason: str) -> None:
        """Say that it cannot work now; nothing happens once it is stopped."""
        if self._state is not State.STOPPED:
            self._become(State.UNAVAILABLE, reason)

    def set_available(self) -> None:
        """Take `set_unavailable` back."""
        if self._state is State.UNAVAILABLE:
            self._become(State.STARTED, "")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @abstractmethod
    async def _start(self) -> None:
        """Take what is needed and begin to work."""

    @abstractmethod
    async def _stop(self) -> None:
        """Give back whatever `_start` took, also when it got only half way."""

    async def _end(self, reason: str) -> None:
        try:
            if self._was_started:
                await self._stop()
        finally:
            self._become(State.STOPPED, reason)

    def _become(self, state: State, reason: str) -> None:
        if (state, reason) == (self._state, self._reason):
            return
        self._state, self._reason = state, reason
        for listener in self._listeners:
            listener(state, reason)

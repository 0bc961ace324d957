"""The life cycle: once started, stopped any number of times, in any order."""

import asyncio

import pytest

from paceline.runtime.life_cycle import LifeCycle, State
from paceline.runtime.virtual_loop import run_virtual


class Server(LifeCycle):
    """Writes down what was done to it."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.done = list[str]()
        self._fails = fails
        self.watch_state(lambda state, reason: self.done.append(f"{state} {reason}".rstrip()))

    async def _start(self) -> None:
        await asyncio.sleep(1)
        self.done.append("_start")
        if self._fails:
            raise OSError("the port is taken")

    async def _stop(self) -> None:
        await asyncio.sleep(1)
        self.done.append("_stop")


def test_a_server_starts_works_and_stops() -> None:
    """Inside `async with` it is started; after it, stopped."""

    async def main() -> list[str]:
        async with Server() as server:
            assert server.state is State.STARTED
        return server.done

    assert run_virtual(main()) == ["_start", "started", "_stop", "stopped"]


def test_stopping_twice_is_fine() -> None:
    """Also at the same time: the work is done once and both wait for it."""

    async def main() -> list[str]:
        server = Server()
        await server.start()
        await asyncio.gather(server.stop("upgrade"), server.stop())
        assert (server.state, server.reason) == (State.STOPPED, "upgrade")
        return server.done

    assert run_virtual(main()).count("_stop") == 1


def test_stopping_before_the_start_is_fine_and_final() -> None:
    """Nothing is given back that was not taken; a start after it is refused."""

    async def main() -> list[str]:
        server = Server()
        await server.stop()
        with pytest.raises(RuntimeError, match="starts only once"):
            await server.start()
        return server.done

    assert run_virtual(main()) == ["stopped"]


def test_starting_twice_is_refused() -> None:
    """A second start of a running server changes nothing."""

    async def main() -> State:
        server = Server()
        await server.start()
        with pytest.raises(RuntimeError, match="starts only once"):
            await server.start()
        return server.state

    assert run_virtual(main()) is State.STARTED


def test_a_stop_during_the_start_waits_for_it() -> None:
    """Start and stop never overlap."""

    async def main() -> list[str]:
        server = Server()
        await asyncio.gather(server.start(), server.stop())
        return server.done

    assert run_virtual(main()) == ["_start", "started", "_stop", "stopped"]


def test_a_failed_start_gives_back_what_it_took() -> None:
    """The error comes through, and the server is stopped with a reason."""

    async def main() -> list[str]:
        server = Server(fails=True)
        with pytest.raises(OSError, match="port"):
            await server.start()
        return server.done

    assert run_virtual(main()) == ["_start", "_stop", "stopped the start failed"]


def test_unavailable_carries_its_reason_and_can_be_taken_back() -> None:
    """Listeners see each change once; a stopped server stays stopped."""

    async def main() -> list[str]:
        server = Server()
        await server.start()
        server.set_unavailable("database away")
        server.set_unavailable("database away")
        server.set_available()
        await server.stop()
        server.set_unavailable("too late")
        server.set_available()
        return server.done

    assert run_virtual(main()) == [
        "_start",
        "started",
        "unavailable database away",
        "started",
        "_stop",
        "stopped",
    ]

"""The virtual loop: jumps, order, and loud failure when everything waits for ever."""

import asyncio
import socket

import pytest

from paceline.runtime.virtual_loop import VirtualTimeStuck, run_virtual


def test_a_wait_takes_its_virtual_time_and_no_other() -> None:
    """A day of sleep moves the loop's time by exactly a day."""

    async def main() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 86_400.0


def test_timers_of_several_tasks_fire_in_order_of_their_instants() -> None:
    """Tasks that sleep differently long wake by instant, whatever the order they started in."""

    async def main() -> list[tuple[float, str]]:
        loop, seen = asyncio.get_running_loop(), list[tuple[float, str]]()

        async def tick(name: str, every_s: float, count: int) -> None:
            for _ in range(count):
                await asyncio.sleep(every_s)
                seen.append((loop.time(), name))

        await asyncio.gather(tick("slow", 5, 2), tick("fast", 2, 4))
        return seen

    expected = [(2, "fast"), (4, "fast"), (5, "slow"), (6, "fast"), (8, "fast"), (10, "slow")]
    assert run_virtual(main()) == expected


def test_ready_work_is_done_before_time_jumps() -> None:
    """Time stands still while any callback is ready."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(1, lambda: None)
        for _ in range(50):
            await asyncio.sleep(0)
        return loop.time()

    assert run_virtual(main()) == 0.0


def test_a_deadlock_is_reported_with_the_names_of_the_waiting_tasks() -> None:
    """When no timer is left and everything waits, the run ends with an error that names who."""

    async def main() -> None:
        forever = asyncio.create_task(asyncio.Event().wait(), name="router:pull")
        await forever

    with pytest.raises(VirtualTimeStuck, match=r"no timer is left at 0\.000 s.*router:pull"):
        run_virtual(main())


def test_a_run_that_only_ticks_ends_at_its_limit() -> None:
    """A background timer cannot hide that the main task waits for ever."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)

    async def main() -> None:
        ticking = asyncio.create_task(tick(), name="heartbeat")
        await asyncio.Event().wait()
        await ticking

    with pytest.raises(VirtualTimeStuck, match="past its limit"):
        run_virtual(main(), limit_s=100)


def test_threads_are_refused() -> None:
    """Work in an executor is refused: time would jump past it."""

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, len, "")

    with pytest.raises(RuntimeError, match=r"run .* inline"):
        run_virtual(main())


def test_sockets_are_refused() -> None:
    """A real socket is refused: time would jump past its answer."""

    async def main() -> None:
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            await asyncio.get_running_loop().sock_recv(left, 1)

    with pytest.raises(RuntimeError, match="use a memory link"):
        run_virtual(main())


def test_an_error_of_the_main_task_comes_through() -> None:
    """What the main coroutine raises, the caller gets."""

    async def main() -> None:
        await asyncio.sleep(1)
        raise LookupError("x")

    with pytest.raises(LookupError):
        run_virtual(main())

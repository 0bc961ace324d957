"""Task groups: failures are seen, ends are clean."""

import asyncio

import pytest

from paceline.runtime.log import log_error_count
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.virtual_loop import run_virtual


def test_a_failed_task_is_logged_once_and_fails_its_owner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One error line with the traceback, one call of the owner; the other tasks go on."""
    reasons = list[str]()

    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError("no such queue")

    async def main() -> bool:
        group = TaskGroup("router", reasons.append)
        other = group.start("other", asyncio.sleep(10))
        group.start("pull", fail())
        await asyncio.sleep(2)
        went_on = not other.done()
        await group.aclose()
        return went_on

    before = log_error_count()
    assert run_virtual(main())
    assert reasons == ["task pull failed: LookupError: no such queue"]
    assert log_error_count() == before + 1
    assert capsys.readouterr().err.count("Traceback") == 1


def test_closing_cancels_and_waits_for_every_end() -> None:
    """After aclose no task runs, also one that takes time to clean up; closing again is fine."""
    ended = list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(3)
            ended.append("cleaned up")

    async def main() -> int:
        group = TaskGroup("router", ended.append)
        group.start("work", work())
        group.start("never begun", asyncio.sleep(0))
        await asyncio.sleep(1)
        group.start("cancelled before its first step", asyncio.sleep(5))
        await group.aclose()
        await group.aclose()
        return len(group)

    assert run_virtual(main()) == 0
    assert ended == ["cleaned up"]


def test_a_task_may_close_its_own_group() -> None:
    """Closing from inside does not wait for itself."""

    async def main() -> bool:
        group = TaskGroup("router", lambda _: None)
        task = group.start("closer", group.aclose())
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(main()) is False


def test_a_closed_group_starts_nothing() -> None:
    """Starting in a closed group is refused and the work is not begun."""

    async def main() -> None:
        group = TaskGroup("router", lambda _: None)
        await group.aclose()
        with pytest.raises(RuntimeError, match="task late cannot start"):
            group.start("late", asyncio.sleep(1))

    run_virtual(main())

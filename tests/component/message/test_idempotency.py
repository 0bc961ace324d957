"""Idempotency-Key at the Message Server: one message however often it is sent, also over restarts."""

import asyncio

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operations.message import Logged
from tests.component.message.test_message_server import FAILED, START, Desk, memory, opened


async def _log(desk: Desk, key: str, text: str = "down") -> Logged:
    return await desk.client.message.log(
        application="pacing", number=FAILED, text=text, idempotency_key=key
    )


def test_a_repeat_stores_nothing_and_gets_the_first_answer() -> None:
    """Beside each other, one after the other, after a restart: one message, equal answers."""

    async def main() -> None:
        database, times = memory(), virtual_times(START)
        async with opened(database, times) as desk:
            together = await asyncio.gather(*(_log(desk, "a") for _ in range(20)))
            assert set(together) == {await _log(desk, "a")}
            assert together[0].detected is not None
            other = await _log(desk, "b")
            assert other.message_id != together[0].message_id
        async with opened(database, times) as desk:
            assert await _log(desk, "a") == together[0]
            assert len((await desk.client.message.list()).items) == 2
        await database.close()

    run_virtual(main())


def test_the_same_key_with_another_body_is_refused() -> None:
    """Neither stored nor answered with the first one's answer; the batch's others are."""

    async def main() -> None:
        async with opened() as desk:
            await _log(desk, "a")
            with pytest.raises(PacelineError, match="idempotency_key_reused") as refused:
                await _log(desk, "a", "up")
            assert refused.value.field == "idempotency_key"
            assert len((await desk.client.message.list()).items) == 1

    run_virtual(main())


def test_a_key_is_forgotten_after_its_retention() -> None:
    """After the hour (machine time) the key may be used for something new."""

    async def main() -> None:
        async with opened() as desk:
            first = await _log(desk, "a")
            await desk.times.machine.sleep(3 * 3600)
            assert (await _log(desk, "a", "up")).message_id != first.message_id

    run_virtual(main())


@pytest.mark.parametrize("key", ["x" * 256, "a\x00b", "a\nb"])
def test_a_key_of_a_wrong_form_is_refused(key: str) -> None:
    """Too long or unprintable: invalid_attribute names it."""

    async def main() -> None:
        async with opened() as desk:
            with pytest.raises(PacelineError, match="printable") as refused:
                await _log(desk, key)
            assert refused.value.field == "idempotency_key"

    run_virtual(main())

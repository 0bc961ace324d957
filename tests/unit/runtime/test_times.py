"""The two times: scaling, continuation, and both virtual on a virtual loop."""

import asyncio

import pytest

from paceline.runtime.times import real_times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis

START = Millis(1_767_600_000_000)


def test_virtual_times_stand_at_their_start_and_move_together_at_speed_1() -> None:
    """At speed 1 both times are the start plus the loop's time."""
    times = virtual_times(START)

    async def main() -> tuple[int, int, float]:
        await times.business.sleep(12.5)
        return times.machine.now(), times.business.now(), times.machine.monotonic()

    assert run_virtual(main()) == (START + 12_500, START + 12_500, 12.5)


def test_business_time_runs_speed_times_as_fast() -> None:
    """At speed 60 a business minute takes a machine second, in sleeps and in instants."""
    times = virtual_times(START, speed=60)

    async def main() -> tuple[float, int, int]:
        await times.business.sleep(60)
        return times.machine.monotonic(), times.machine.now(), times.business.now()

    assert run_virtual(main()) == (1.0, START + 1_000, START + 60_000)
    assert times.business.machine_seconds(300) == 5.0


def test_machine_sleep_is_not_scaled() -> None:
    """A machine second is a machine second whatever the speed."""
    times = virtual_times(START, speed=60)

    async def main() -> int:
        await times.machine.sleep(1)
        return times.business.now()

    assert run_virtual(main()) == START + 60_000


def test_who_sleeps_until_an_instant_does_not_wake_before_it() -> None:
    """Many odd waits in a row never read the millisecond before the one slept for."""
    times = virtual_times(START, speed=7)

    async def main() -> None:
        for step in range(1, 400):
            wanted = START + 37 * step
            await times.business.sleep((wanted - times.business.now()) / 1000)
            assert times.business.now() == wanted

    run_virtual(main())


def test_real_business_time_continues_from_a_stored_instant() -> None:
    """With a stored business time the clock goes on from there, scaled, not from today."""

    async def main() -> tuple[int, int]:
        times = real_times(speed=3600.0, business_start=START)
        first = times.business.now()
        await times.machine.sleep(0)
        return first, times.business.now()

    first, second = asyncio.run(main())
    assert START <= first <= second < START + 3_600_000


def test_real_times_at_speed_1_are_the_machines_utc() -> None:
    """Without speed or stored start, business and machine instants are the same clock."""
    times = real_times()
    before = times.machine.now()
    assert before <= times.business.now() <= times.machine.now()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_not_above_zero_is_refused(speed: float) -> None:
    """Time neither stops nor goes back."""
    with pytest.raises(ValueError, match="above 0"):
        real_times(speed)

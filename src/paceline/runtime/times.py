"""The two times: machine time (leases, timeouts) and business time (periods, permits, timers).

Every room that waits or stamps gets a `Times` from assembly and uses nothing else. Monotonic time
is the event loop's, so that a virtual loop makes both times virtual. Never started or stopped.
"""

import asyncio
import time
from dataclasses import dataclass

from paceline.units.quantities import Millis


def _loop_time() -> float:
    """Time of the running loop; before any loop runs, the clock that real loops read."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def _wall_clock() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


def _to_millis(seconds: float) -> int:
    """Nearest millisecond, so that who slept until an instant does not read the one before it."""
    return int(seconds * 1000 + 0.5)


class MachineTime:
    """Time of this machine: for leases, heartbeats, tokens, network timeouts, retry, metrics.

    Parameters
    ----------
    virtual_start
        Instant at which a virtual loop's time is 0; None reads the machine's UTC clock.
    """

    __slots__ = ("_virtual_start",)

    def __init__(self, virtual_start: Millis | None = None) -> None:
        self._virtual_start = virtual_start

    def monotonic(self) -> float:
        """Seconds that never go back; for durations and leases, meaningless as an instant."""
        return _loop_time()

    def now(self) -> Millis:
        """UTC instant; on a real machine it may step when the clock is set."""
        if self._virtual_start is None:
            return _wall_clock()
        return Millis(self._virtual_start + _to_millis(_loop_time()))

    async def sleep(self, seconds: float) -> None:
        """Wait so many machine seconds; zero or less lets other tasks run once."""
        await asyncio.sleep(seconds)


class BusinessTime:
    """Time of the contact centre: `speed` business seconds pass in one machine second.

    Parameters
    ----------
    start
        Business instant at construction; None with speed 1 follows the machine's UTC clock.
    """

    __slots__ = ("_anchor", "_follows", "_machine", "_start", "speed")

    def __init__(
        self,
        machine: MachineTime,
        *,
        speed: float,
        start: Millis | None,
        anchor: float | None = None,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed is {speed}; it must be above 0")
        self.speed = speed
        self._machine = machine
        self._follows = start is None and speed == 1.0
        self._start = machine.now() if start is None else start
        self._anchor = machine.monotonic() if anchor is None else anchor

    def now(self) -> Millis:
        """Business instant in UTC."""
        if self._follows:
            return self._machine.now()
        passed_s = self._machine.monotonic() - self._anchor
        return Millis(self._start + _to_millis(passed_s * self.speed))

    async def sleep(self, business_seconds: float) -> None:
        """Wait so many business seconds; zero or less lets other tasks run once."""
        await self._machine.sleep(business_seconds / self.speed)

    def machine_seconds(self, business_s: float) -> float:
        """How long a business duration lasts on the machine, for loop timers and timeouts."""
        return business_s / self.speed


@dataclass(frozen=True, slots=True)
class Times:
    """Both times of a process; each option says which of them it means."""

    machine: MachineTime
    business: BusinessTime


def real_times(speed: float = 1.0, business_start: Millis | None = None) -> Times:
    """Times on the machine's clocks; `business_start` continues a stored business time."""
    machine = MachineTime()
    return Times(machine, BusinessTime(machine, speed=speed, start=business_start))


def virtual_times(business_start: Millis, speed: float = 1.0) -> Times:
    """Times for a virtual loop: both stand at `business_start` when the loop's time is 0."""
    machine = MachineTime(business_start)
    business = BusinessTime(machine, speed=speed, start=business_start, anchor=0.0)
    return Times(machine, business)

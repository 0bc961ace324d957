"""What a rehearsal is asked for and what came of it; and where the log of a failure is read.

Values only; made by the command, run by run.py, spread over processes by many.py.
"""

from typing import Literal

import msgspec

Profile = Literal["calm", "rough", "hostile"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One rehearsal: everything that its course depends on.

    `duration_s` is the simulated time with faults. `scale` is customers per customer of the bank.
    `most_faults` cuts the schedule of faults short; the ones before stay where they were.
    """

    seed: int
    duration_s: float = 3600.0
    profile: Profile = "rough"
    scale: float = 0.1
    most_faults: int | None = None

    @property
    def command(self) -> str:
        """How to run it again."""
        parts = [f"paceline rehearse --seed {self.seed} --hours {self.duration_s / 3600:.6g}"]
        parts.append(f"--profile {self.profile} --scale {self.scale:g}")
        if self.most_faults is not None:
            parts.append(f"--most-faults {self.most_faults}")
        return " ".join(parts)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Which invariant broke, when (simulated seconds), what about, and the last lines of the log about it."""

    invariant: str
    what: str
    at_s: float
    about: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rehearsal. `digest` is the SHA-256 of its log."""

    plan: Plan
    simulated_s: float
    real_s: float
    faults: int
    requests: int
    events: int
    interactions: int
    digest: str
    failure: Failure | None = None

    @property
    def speed(self) -> float:
        """Simulated seconds per second."""
        return self.simulated_s / self.real_s if self.real_s > 0 else 0.0

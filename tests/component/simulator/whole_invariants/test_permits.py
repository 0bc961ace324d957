"""Permits: more than a report gave, dead ones and older epochs are found, everything else is let through."""

import asyncio

import pytest

from paceline.model.instant import to_text
from paceline.simulator.whole.history import History
from paceline.simulator.whole.invariant import Invariant, InvariantBroken
from paceline.simulator.whole.permits import NoneSpentDead, PermitsSpent, SeenReport
from paceline.wire.operations.engagement import (
    CreateInvitation,
    InvitationCreated,
    Permit,
    Report,
)
from tests.component.simulator.whole_invariants.stories import Clock, asked

TARGET = "Chat - chat"


class Epochs:
    """An engine's store of which only the epochs are asked."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], tuple[int, int]] = {}

    async def epochs(self) -> dict[tuple[str, str], tuple[int, int]]:
        """What is stored."""
        return self.stored


class Bench:
    """Reports and invitations at times."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.history = History(self.clock, lambda line: None)
        self.store = Epochs()
        self.spent = PermitsSpent(self.history, self.clock)
        self.alive = NoneSpentDead(
            self.history,
            self.store,  # type: ignore[arg-type]  # the part of it that is asked
            machine_seconds=lambda seconds: seconds,
        )

    def report(self, epoch: int, sequence: int, permits: int) -> None:
        """A report comes, is taken and answered."""
        permit = Permit(
            id=TARGET, virtual_queue="Chat", media_type="chat", agent_groups=(), permits=permits,
            reason="forecast",
        )  # fmt: skip
        report = Report(
            cluster="c", node="n", epoch=epoch, sequence=sequence, period_s=5, sent_at=to_text(0),
            valid_for_s=10, targets=(permit,),
        )  # fmt: skip
        seen = SeenReport(report=report, arrived_at=self.clock.now)
        for invariant in (self.spent, self.alive):
            invariant.arrived(seen)
        self.clock.now += 0.01
        seen.answered_at, seen.is_taken = self.clock.now, True
        for invariant in (self.spent, self.alive):
            invariant.answered(seen)
        self.clock.now += 0.01

    def invite(self, count: int) -> None:
        """So many invitations are made."""
        for number in range(count):
            request = CreateInvitation(target=TARGET, visitor="v")
            one = asked(self.history, self.clock, "invitation.create", request)
            created = InvitationCreated(invitation_id=str(number), expires_at=to_text(0))
            self.history.end(one, "done", answer=created)

    def judge(self, *invariants: Invariant) -> None:
        """Lets them look."""

        async def look() -> None:
            for invariant in invariants or (self.spent, self.alive):
                await invariant.check_now()

        asyncio.run(look())


def test_what_reports_grant_may_be_spent() -> None:
    """Each report's permits may be spent to the last one."""
    bench = Bench()
    for sequence in range(1, 4):
        bench.report(1, sequence, 5)
        bench.invite(5)
        bench.clock.now += 5
    bench.judge()


def test_permits_that_were_replaced_are_not_added() -> None:
    """Six spent after a report of five is one too many, whatever was left before."""
    bench = Bench()
    bench.report(1, 1, 5)
    bench.report(1, 2, 5)
    bench.invite(6)
    with pytest.raises(InvariantBroken, match="which gave 5"):
        bench.judge()


def test_dead_permits_are_not_spent() -> None:
    """An invitation long after the last permit's life is found."""
    bench = Bench()
    bench.report(1, 1, 5)
    bench.clock.now += 60
    bench.invite(1)
    with pytest.raises(InvariantBroken, match="no report's permit was alive"):
        bench.judge(bench.alive)


def test_a_lower_epoch_is_not_taken() -> None:
    """A report of an older epoch that comes after a newer one was taken must be refused."""
    bench = Bench()
    bench.report(2, 1, 5)
    bench.report(1, 9, 5)
    with pytest.raises(InvariantBroken, match="epochs are monotone"):
        bench.judge(bench.alive)


def test_the_store_never_goes_back() -> None:
    """Epochs in the engine's store only grow."""
    bench = Bench()
    bench.store.stored = {("c", "x"): (2, 7)}
    bench.judge(bench.alive)
    bench.store.stored = {("c", "x"): (2, 6)}
    with pytest.raises(InvariantBroken, match="went from"):
        bench.judge(bench.alive)

"""Laws of permits as a state machine: random reports, time and spending against a plain model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from paceline.model.instant import to_text
from paceline.servers.engagement.live.permits import Permits
from paceline.units.quantities import Millis
from paceline.wire.operations.engagement import Permit, Report

TARGETS = ("a", "b", "c")
REPORTER = ("cluster", "credential")
LIFE_S = 10.0


class PermitLaws(RuleBasedStateMachine):
    """Reports arrive as the book lets them in: epochs and sequences never fall."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = Permits()
        self.now = 1_000_000_000
        self.epoch, self.sequence = 1, 0
        self.granted: dict[tuple[str, int, int], int] = {}
        self.spent: dict[tuple[str, int, int], int] = {}
        self.holds: dict[str, tuple[int, int, int]] = {}  # target: epoch, sequence, end

    @rule(counts=st.lists(st.integers(0, 3), min_size=3, max_size=3), pages=st.integers(1, 3),
          delay_s=st.integers(0, 50), new_epoch=st.booleans(), lost=st.sets(st.integers(1, 3)))  # fmt: skip
    def report(
        self, counts: list[int], pages: int, delay_s: int, new_epoch: bool, lost: set[int]
    ) -> None:
        """A report in pages, of which some are lost and each other arrives twice."""
        arrived = [page for page in range(1, pages + 1) if page not in lost]
        if not arrived:
            return  # the engine has not heard of it
        if new_epoch:
            self.epoch, self.sequence, self.holds = self.epoch + 1, 0, {}
        self.sequence += 1
        sent_at = self.now - 1000 * delay_s
        end = min(self.now + 10_000, sent_at + 40_000)
        for page in arrived:
            rows = [(t, n) for i, (t, n) in enumerate(zip(TARGETS, counts, strict=True))
                    if i % pages == page - 1]  # fmt: skip
            report = self._report(rows, page, pages, sent_at)
            for _ in range(2):
                self.permits.apply(REPORTER, report, Millis(self.now))
            for target, count in rows:
                self.granted[target, self.epoch, self.sequence] = count
                self.holds[target] = (self.epoch, self.sequence, end)
        if len(arrived) == pages:
            self.holds = {t: held for t, held in self.holds.items() if held[1] == self.sequence}

    @rule(name=st.sampled_from(TARGETS))
    def spend(self, name: str) -> None:
        """A permit is had exactly when the model has one alive."""
        held = self.holds.get(name)
        alive = 0
        if held is not None and self.now < held[2]:
            key = (name, held[0], held[1])
            alive = self.granted[key] - self.spent.get(key, 0)
        facts = self.permits.spend(name, Millis(self.now))
        assert (facts is not None) == (alive > 0)
        if facts is not None and held is not None:
            key = (name, held[0], held[1])
            self.spent[key] = self.spent.get(key, 0) + 1

    @rule(seconds=st.integers(0, 15))
    def wait(self, seconds: int) -> None:
        """Business time passes."""
        self.now += 1000 * seconds

    @invariant()
    def never_more_than_granted(self) -> None:
        """Spent ≤ permits of each target and sequence; nothing negative."""
        assert all(spent <= self.granted[key] for key, spent in self.spent.items())
        assert all(grant.unspent >= 0 for _, grants in self.permits for grant in grants)
        assert all(grant.epoch == self.epoch for _, grants in self.permits for grant in grants)

    def _report(self, rows: list[tuple[str, int]], page: int, pages: int, sent_at: int) -> Report:
        permits = tuple(
            Permit(id=target, virtual_queue=target, media_type="chat", agent_groups=("G",),
                   permits=count, reason="forecast")
            for target, count in rows
        )  # fmt: skip
        return Report(
            cluster="cluster", node="n", epoch=self.epoch, sequence=self.sequence, page=page,
            pages=pages, period_s=5.0, sent_at=to_text(sent_at), valid_for_s=LIFE_S,
            targets=permits,
        )  # fmt: skip


TestPermitLaws = PermitLaws.TestCase
TestPermitLaws.settings = settings(max_examples=12, stateful_step_count=20)

"""Figures of a run: interval, utilization, permits, each on cases that can be counted by hand."""

import pytest

from paceline.simulator.permit_count import PermitCount
from paceline.simulator.summary import wilson_percent
from paceline.simulator.utilization import SlotMeter
from paceline.wire.operations.pacing import TargetRow, TargetsNotice
from paceline.wire.operations.statistic import AgentTargetState, MediaCapacity


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 0, 0.0, 100.0), (0, 10, 0.0, 27.75), (3, 100, 1.025, 8.452), (10, 10, 72.25, 100.0)],
)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    """Against published values of the score interval at 95 %."""
    assert wilson_percent(count, of) == pytest.approx((low, high), abs=0.01)


def agent(name: str, **media: tuple[int, int, bool]) -> AgentTargetState:
    """An agent's state: current, maximum, routable per medium."""
    return AgentTargetState(
        agent=name,
        media={
            medium: MediaCapacity(current=current, maximum=most, ready=True, routable=routable)
            for medium, (current, most, routable) in media.items()
        },
    )


def test_utilization_is_weighted_by_time() -> None:
    """Busy ÷ (busy + ready) slots; who is gone or not routable has no ready slots; gaps do not count."""
    meter = SlotMeter()
    assert meter.share(0) == 0.0
    meter.put(agent("ann", chat=(1, 1, False)), 1_000)
    meter.put(agent("bob", chat=(0, 1, True), email=(1, 1, False)), 1_000)
    assert meter.share(2_000) == pytest.approx(2 / 3)
    meter.remove("ann", 3_000)
    assert meter.share(5_000) == pytest.approx((2 * 2 + 2 * 1) / (2 * 3 + 2 * 2))
    meter.clear(5_000)
    assert meter.share(99_000) == pytest.approx(0.6)
    meter.put(agent("bob", chat=(0, 1, False)), 99_000)
    assert meter.share(100_000) == pytest.approx(0.6)


def notice(sequence: int, epoch: int = 1, **permits: int) -> TargetsNotice:
    """Rows that changed."""
    return TargetsNotice(
        items=tuple(
            TargetRow(
                name=name, virtual_queue=name, media_type="chat", agent_groups=(), permits=count,
                reason="forecast", reason_text="", goal_percent=3.0,
            )
            for name, count in permits.items()
        ),
        total=2, epoch=epoch, sequence=sequence,
    )  # fmt: skip


def test_permits_of_unchanged_sequences_count_too() -> None:
    """A target that is not told again was granted the same in each sequence between."""
    count = PermitCount()
    count.take(notice(10, a=2, b=1))
    assert count.granted == 0, "the first window was granted before"
    count.take(notice(11, a=5))
    assert count.granted == 6
    count.take(notice(14, b=0))
    assert count.granted == 6 + 2 * 6 + 5
    count.advance(1, 16)
    assert count.granted == 23 + 2 * 5


def test_a_new_master_begins_a_new_row_of_sequences() -> None:
    """The sequence of another epoch is not compared with the last one's."""
    count = PermitCount()
    count.take(notice(10, a=2))
    count.take(notice(500, epoch=2, a=3))
    assert count.granted == 3
    count.take(notice(501, epoch=2, a=4))
    assert count.granted == 3 + 4

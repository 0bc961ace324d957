"""What a pacer keeps: bytes per target, and reading what earlier versions kept."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from paceline.pacer import CycleInput, Pacer, save

CUMULATIVE = (
    "accepted", "abandoned", "reactive_arrived", "reactive_abandoned", "served", "sent", "resolved",
)  # fmt: skip


def working(count: int, period_s: float, cycles: int = 20) -> Pacer:
    """A pacer whose targets all differ."""
    draw = np.random.default_rng(1)
    pacer = Pacer([f"t{number}" for number in range(count)], 3.0, period_s)
    totals = {name: np.zeros(count) for name in CUMULATIVE}
    for _ in range(cycles):
        totals = {name: total + draw.poisson(2, count) for name, total in totals.items()}
        levels = {name: draw.poisson(5, count) for name in ("waiting", "ready", "busy", "pending")}
        pacer.step(CycleInput(elapsed_s=period_s, **totals, **levels))
    return pacer


@pytest.mark.parametrize(("period_s", "most"), [(5.0, 400), (1.0, 1200)])
def test_a_target_needs_few_bytes(period_s: float, most: int) -> None:
    """PACING.md, "Bars": 400 B per target at T = 5 s and 1.2 kB at T = 1 s, kept and saved, ids included."""
    pacer = working(300, period_s)
    assert len(pacer.save()) / 300 <= most
    assert pacer.bytes_per_target <= most


def test_a_state_of_format_1_is_read() -> None:
    """Seventeen ages and float64 columns of the first format continue: acceptance .8 and .1, handle time, debt."""
    saved = (Path(__file__).parent / "saved_format_1.bin").read_bytes()
    assert saved[4:6] == b"\x00\x01"
    pacer = Pacer.restore(saved)
    output = pacer.step(
        CycleInput(
            elapsed_s=5.0, accepted=[640, 80], abandoned=[10, 0], reactive_arrived=[0, 80],
            reactive_abandoned=[0, 0], served=[640, 80], waiting=[1, 0], ready=[2, 3],
            busy=[60, 7], pending=[20, 4], sent=[800, 800], resolved=[800, 800],
        )
    )  # fmt: skip
    assert output.acceptance == pytest.approx([0.8, 0.1], abs=0.03)
    assert output.handle_time_s == pytest.approx([38.6, 40.6], rel=0.02)
    assert pacer.target_ids == ("a", "b")


def test_changing_the_period_keeps_what_was_learned() -> None:
    """From T = 5 s to T = 1 s and back the acceptance stays what it was, within a twentieth."""
    pacer = Pacer(["a"])
    for number in range(100):
        given = CycleInput(
            elapsed_s=5.0, accepted=[16 * number], sent=[20 * number], resolved=[20 * number],
            pending=[0], waiting=[0], ready=[4], busy=[6],
        )  # fmt: skip
        pacer.step(given)
    for period_s in (1.0, 5.0):
        pacer.set_targets(["a"], period_s=period_s)
    assert pacer.step(given).acceptance[0] == pytest.approx(0.8, abs=0.05)


def test_damaged_columns_are_refused() -> None:
    """A saved state whose arrays do not fit its targets is refused."""
    saved = save.decode(working(2, 5.0, 1).save())
    fewer = saved.columns | {"debt": save.stored(np.zeros(3))}
    with pytest.raises(ValueError, match="does not fit its targets"):
        Pacer.restore(save.encode(msgspec.structs.replace(saved, columns=fewer)))

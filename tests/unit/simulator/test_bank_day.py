"""The bank's day: the shipped aggregates have the documented facts, and what is drawn has them too."""

from statistics import fmean, median, variance

import pytest

from paceline.runtime.chance import Chance
from paceline.simulator.bank_day import (
    DAY_S,
    MEDIA,
    START_S,
    ArrivalLaw,
    BankTraffic,
    CustomerType,
    bank_day,
)
from paceline.units.quantities import Millis

OPENING = Millis(1_700_000_000_000)
HOUR_MS = 3_600_000


def half_hour_mean(clock_s: int) -> float:
    """Mean arrivals of the half hour from this time of day on."""
    day = bank_day()
    first = clock_s // day.interval_s
    slots = range(first, first + 1800 // day.interval_s)
    return sum(counts[slot] for counts in day.arrivals_mean.values() for slot in slots)


@pytest.mark.parametrize(
    ("clock_s", "documented"),
    [(7 * 3600, 15), (10 * 3600, 73), (16 * 3600, 60), (23 * 3600 + 1800, 21)],
)
def test_arrivals_are_the_documented_ones(clock_s: int, documented: int) -> None:
    """Weekday arrivals per half hour; the documented 21 is the last half hour of the day."""
    assert round(half_hour_mean(clock_s)) == documented


def test_service_times_are_the_documented_ones() -> None:
    """Mean 188 s and median 118 s over all calls, each type in its own right."""
    everyone = bank_day().service["all"]
    assert round(everyone.mean_s) == 188
    assert everyone.median_s == 118
    assert sum(bank_day().service[name].calls for name in MEDIA) == everyone.calls == 29_644


@pytest.mark.parametrize(
    ("waited_s", "documented"),
    [(10, 0.962), (20, 0.918), (30, 0.894), (60, 0.815), (120, 0.712), (300, 0.547), (600, 0.378)],
)
def test_patience_is_the_documented_one(waited_s: int, documented: float) -> None:
    """Kaplan-Meier survival at the documented instants."""
    assert bank_day().survival(waited_s) == pytest.approx(documented, abs=0.0006)


def test_dispersion_is_in_the_documented_range() -> None:
    """Variance / mean over days is 2.3 to 6.3 from 07:00 to 22:00; 22:00 had one rush (SOURCE.md)."""
    dispersion = bank_day().dispersion
    working = dispersion[14:44]
    assert (round(min(working), 1), round(max(working), 1)) == (2.3, 6.3)
    assert round(dispersion[44], 1) == 13.4


@pytest.mark.parametrize("name", ["all", *MEDIA])
def test_drawn_service_times_keep_mean_and_median(name: CustomerType) -> None:
    """Drawing by quantiles loses little of the tail, even where there are deciles only."""
    found = bank_day().service[name]
    stream = Chance(7).stream("service")
    drawn = [found.draw(stream) for _ in range(20_000)]
    assert fmean(drawn) == pytest.approx(found.mean_s, rel=0.06)
    assert median(drawn) == pytest.approx(found.median_s, rel=0.06)
    assert 10 <= min(drawn) <= max(drawn) <= 3600


def test_drawn_patience_keeps_the_survival() -> None:
    """Shares of drawn patience beyond an instant are the survival there, also behind the table."""
    stream = Chance(7).stream("patience")
    drawn = [bank_day().draw_patience_s(stream) for _ in range(10_000)]
    for instant in (5, 60, 300, 900, 1500):
        share = sum(patience > instant for patience in drawn) / len(drawn)
        assert share == pytest.approx(bank_day().survival(instant), abs=0.015)


def test_arrivals_depend_on_seed_and_instant_only() -> None:
    """Asked in other portions, or after a restart, the same customers come."""
    whole = BankTraffic(Chance(1), opening=OPENING).arrivals(OPENING, Millis(OPENING + 2 * HOUR_MS))
    restarted = BankTraffic(Chance(1), opening=OPENING)
    step = 7_777
    parts = [
        arrival
        for first in range(OPENING, OPENING + 2 * HOUR_MS, step)
        for arrival in restarted.arrivals(
            Millis(first), Millis(min(first + step, OPENING + 2 * HOUR_MS))
        )
    ]
    assert parts == whole
    assert [a.at for a in whole] == sorted(a.at for a in whole)
    assert all(OPENING <= a.at < OPENING + 2 * HOUR_MS for a in whole)
    other = BankTraffic(Chance(2), opening=OPENING).arrivals(OPENING, Millis(OPENING + HOUR_MS))
    assert other != whole[: len(other)]


def test_replay_has_the_counts_of_the_typical_day() -> None:
    """A whole day of replay has exactly that day's customers, each type with its medium."""
    traffic = BankTraffic(Chance(3), opening=OPENING, law=ArrivalLaw.REPLAY)
    midnight = OPENING - START_S * 1000
    found = traffic.arrivals(Millis(midnight), Millis(midnight + DAY_S * 1000))
    for name, counts in bank_day().arrivals_typical.items():
        assert sum(a.customer_type == name for a in found) == sum(counts)
    assert {a.media_type for a in found} == {"chat", "email", "voice"}
    assert traffic.arrivals(OPENING, OPENING) == []


@pytest.mark.parametrize(
    ("law", "low", "high"), [(ArrivalLaw.POISSON, 0.5, 1.6), (ArrivalLaw.OVERDISPERSED, 2.0, 6.5)]
)
def test_laws_have_the_mean_and_their_variance(law: ArrivalLaw, low: float, high: float) -> None:
    """From 10:00 to 10:30 the mean is the bank's; the variance is Poisson's or the bank's (3.8)."""
    traffic = BankTraffic(Chance(5), opening=OPENING, law=law, scale=1.0)
    ten = OPENING + 2 * HOUR_MS
    counts = [
        len(traffic.arrivals(Millis(start), Millis(start + HOUR_MS // 2)))
        for start in range(ten, ten + 60 * DAY_S * 1000, DAY_S * 1000)
    ]
    assert fmean(counts) == pytest.approx(73, rel=0.09)
    assert low < variance(counts) / fmean(counts) < high


def test_scale_multiplies_the_traffic() -> None:
    """Twice the scale, twice the customers."""
    day = Millis(OPENING + 8 * HOUR_MS)
    single, double = (
        len(
            BankTraffic(Chance(4), opening=OPENING, law=ArrivalLaw.POISSON, scale=scale).arrivals(
                OPENING, day
            )
        )
        for scale in (1.0, 2.0)
    )
    assert double == pytest.approx(2 * single, rel=0.1)

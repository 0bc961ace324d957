"""A weekday of a real bank's call centre: when customers come, how long they take, how long they wait.

Read by the simulator's reactive traffic. Holds aggregates only (SOURCE.md); arrivals depend on the
seed and the instant alone, so that a restarted demo goes on with the very same day.
"""

from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp, floor, log
from typing import Final, Literal

import msgspec

from paceline.runtime.chance import Chance, Stream
from paceline.units.quantities import Millis

CustomerType = Literal["PS", "NW", "IN", "NE", "TT", "PE"]

MEDIA: Final[dict[CustomerType, str]] = {
    "PS": "chat",  # regular service, short and many: what banks answer by chat today
    "PE": "chat",  # the same in English
    "IN": "chat",  # help with the bank's web site: the customer sits in front of a browser
    "NW": "email",  # prospects who want information: it may be read later
    "NE": "voice",  # stock exchange: urgent and spoken, as callback
    "TT": "voice",  # customers whom the bank called back, at their own request
}
"""Medium of each customer type of the bank; the mapping is ours, the bank knew voice only."""

START_S: Final = 8 * 3600
"""Time of the bank's day at which `opening` stands: 08:00 (issue 3)."""

DAY_S: Final = 86_400


class ArrivalLaw(StrEnum):
    """How arrivals are drawn."""

    REPLAY = "replay"
    """The counts of one typical weekday per interval, placed at random within it."""
    POISSON = "poisson"
    """Poisson around the weekdays' mean."""
    OVERDISPERSED = "overdispersed"
    """Poisson around a mean that itself varies by half hour as it did from day to day."""


class ServiceTimes(msgspec.Struct, frozen=True):
    """Service times in seconds, 10 s to 1 h: `quantiles_s` at `shares`."""

    calls: int
    mean_s: float
    median_s: float
    shares: tuple[float, ...]
    quantiles_s: tuple[float, ...]

    def draw(self, stream: Stream) -> float:
        """A service time, between the quantiles uniformly distributed."""
        return _interpolate(self.shares, self.quantiles_s, stream.random())


class BankDay(msgspec.Struct, frozen=True):
    """The aggregates: arrivals per interval of the day and type, service times, patience."""

    source: str
    weekdays: int
    interval_s: int
    arrivals_mean: dict[CustomerType, tuple[float, ...]]
    typical_day: str
    arrivals_typical: dict[CustomerType, tuple[int, ...]]
    dispersion_interval_s: int
    dispersion: tuple[float, ...]
    service: dict[CustomerType | Literal["all"], ServiceTimes]
    patience_at_s: tuple[float, ...]
    patience_survival: tuple[float, ...]

    def survival(self, waited_s: float) -> float:
        """Share of customers still willing to wait: constant hazard between the table's instants.

        Behind the last instant the hazard of the last stretch goes on.
        """
        at_s, shares = self.patience_at_s, self.patience_survival
        n = min(bisect_right(at_s, waited_s), len(at_s) - 1)
        hazard = log(shares[n - 1] / shares[n]) / (at_s[n] - at_s[n - 1])
        return shares[n - 1] * exp(-hazard * (waited_s - at_s[n - 1]))

    def draw_patience_s(self, stream: Stream) -> float:
        """How long a customer waits before leaving: the inverse of `survival`."""
        share = 1.0 - stream.random()
        for (start, first), (end, last) in pairwise(
            zip(self.patience_at_s, self.patience_survival, strict=True)
        ):
            hazard = log(first / last) / (end - start)
            if share >= last:
                break
        return start + log(first / share) / hazard


class Arrival(msgspec.Struct, frozen=True):
    """A customer who turns up."""

    at: Millis
    customer_type: CustomerType
    media_type: str


@cache
def bank_day() -> BankDay:
    """The day that is shipped."""
    data = files("paceline.simulator").joinpath("bank_day.json").read_bytes()
    return msgspec.json.decode(data, type=BankDay)


class BankTraffic:
    """Reactive customers of a site that opens at `opening` as the bank did at 08:00.

    Parameters
    ----------
    scale
        Customers per customer of the bank.
    """

    def __init__(
        self,
        chance: Chance,
        *,
        opening: Millis,
        law: ArrivalLaw = ArrivalLaw.OVERDISPERSED,
        scale: float = 1.0,
    ) -> None:
        self.day = bank_day()
        self.law = law
        self.scale = scale
        self._chance = chance
        self._midnight = opening - START_S * 1000
        self._cached: tuple[int, list[Arrival]] = (-1, [])

    def arrivals(self, first: Millis, last: Millis) -> list[Arrival]:
        """Customers that come from `first` on and before `last`, in order; the same at each call."""
        width = self.day.interval_s * 1000
        start = (first - self._midnight) // width
        end = (last - 1 - self._midnight) // width
        return [
            arrival
            for interval in range(start, end + 1)
            for arrival in self._interval(interval)
            if first <= arrival.at < last
        ]

    def _interval(self, number: int) -> list[Arrival]:
        if self._cached[0] != number:
            self._cached = (number, self._drawn(number))
        return self._cached[1]

    def _drawn(self, number: int) -> list[Arrival]:
        """Arrivals of one interval, counted from the midnight before the opening."""
        width = self.day.interval_s * 1000
        slot = number % (DAY_S * 1000 // width)
        stream = self._chance.stream(f"bank day, arrivals of interval {number}")
        start = self._midnight + number * width
        factor = self._factor(number)
        return sorted(
            (
                Arrival(Millis(start + floor(stream.random() * width)), name, MEDIA[name])
                for name in MEDIA
                for _ in range(self._count(stream, name, slot, factor))
            ),
            key=lambda arrival: arrival.at,
        )

    def _count(self, stream: Stream, name: CustomerType, slot: int, factor: float) -> int:
        if self.law is ArrivalLaw.REPLAY:
            return floor(self.day.arrivals_typical[name][slot] * self.scale + stream.random())
        return _poisson(stream, self.day.arrivals_mean[name][slot] * self.scale * factor)

    def _factor(self, number: int) -> float:
        """Gamma factor of the half hour with mean 1, so that counts have the bank's variance.

        A Poisson count around mean m times a Gamma factor of shape k has variance/mean 1 + m/k.
        """
        per_half_hour = self.day.dispersion_interval_s // self.day.interval_s
        half_hour = number // per_half_hour
        place = half_hour % len(self.day.dispersion)
        excess = self.day.dispersion[place] - 1.0
        if self.law is not ArrivalLaw.OVERDISPERSED or excess <= 0.0:
            return 1.0
        slots = range(place * per_half_hour, (place + 1) * per_half_hour)
        mean = sum(counts[slot] for counts in self.day.arrivals_mean.values() for slot in slots)
        stream = self._chance.stream(f"bank day, factor of half hour {half_hour}")
        return stream.gammavariate(mean / excess, excess / mean)


def _poisson(stream: Stream, mean: float) -> int:
    """Events of a Poisson process of rate 1 within `mean`."""
    if mean <= 0.0:
        return 0
    count, passed = 0, stream.exponential(1.0)
    while passed < mean:
        count += 1
        passed += stream.exponential(1.0)
    return count


def _interpolate(places: Sequence[float], values: Sequence[float], place: float) -> float:
    n = min(bisect_right(places, place), len(places) - 1)
    share = (place - places[n - 1]) / (places[n] - places[n - 1])
    return values[n - 1] + share * (values[n] - values[n - 1])

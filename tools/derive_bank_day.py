"""Derives the aggregates of the bank's weekday that the simulator ships from the call records.

Run by hand: `python tools/derive_bank_day.py FOLDER`, FOLDER holding calls_aug1999.csv; writes
src/paceline/simulator/bank_day.json. Reads rows, writes aggregates only, never a single call.
"""

import argparse
import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean, median, variance

TARGET = Path(__file__).parent.parent / "src" / "paceline" / "simulator" / "bank_day.json"
TYPES = ("PS", "NW", "IN", "NE", "TT", "PE")
WEEKDAYS = (6, 0, 1, 2, 3)  # Sunday to Thursday, the working week of the bank's country
INTERVAL_S = 300
HALF_HOUR_S = 1800
DAY_S = 86_400
# Shorter ones are cut off by a fault, longer ones a forgotten call (SOURCE.md of the data).
SERVICE_RANGE_S = (10, 3600)
SERVICE_SHARES = (*(n / 100 for n in range(100)), 0.995, 0.999, 1.0)
# Of few calls, percentiles would be the calls themselves.
FEW_CALLS = 1000
FEW_SHARES = (*(n / 10 for n in range(10)), 0.95, 0.98, 1.0)
PATIENCE_AT_S = (
    *range(0, 60, 5),
    *range(60, 120, 10),
    *range(120, 300, 20),
    *range(300, 901, 60),
)
# Half hours with fewer calls on average say nothing about their variance.
DISPERSION_FROM = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """What the aggregates need of one call that reached the queue."""

    day: date
    entered_s: int
    type: str
    waited_s: int
    served_s: int | None


def read_calls(path: Path) -> list[Call]:
    """Calls that reached the queue: answered, or abandoned after waiting; no phantoms."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Call(
            day=date.fromisoformat(row["date"]),
            entered_s=_seconds(row["vru_entry"]),
            type=row["type"],
            waited_s=int(row["q_time"]),
            served_s=int(row["ser_time"]) if row["outcome"] == "AGENT" else None,
        )
        for row in rows
        if row["outcome"] == "AGENT" or (row["outcome"] == "HANG" and int(row["q_time"]) > 0)
    ]


def _seconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def counts(calls: Iterable[Call], width_s: int) -> list[int]:
    """Calls per interval of the day."""
    found = Counter(call.entered_s // width_s for call in calls)
    return [found[n] for n in range(DAY_S // width_s)]


def typical_day(by_day: dict[date, list[Call]]) -> date:
    """The weekday whose half hours are nearest to the mean ones, in units of their variance."""
    profiles = {day: counts(calls, HALF_HOUR_S) for day, calls in by_day.items()}
    mean = [fmean(column) for column in zip(*profiles.values(), strict=True)]

    def distance(day: date) -> float:
        return sum((n - m) ** 2 / (m + 1) for n, m in zip(profiles[day], mean, strict=True))

    return min(sorted(profiles), key=distance)


def dispersion(by_day: dict[date, list[Call]]) -> list[float]:
    """Variance / mean over the weekdays per half hour; 1 where too few calls tell."""
    columns = zip(*(counts(calls, HALF_HOUR_S) for calls in by_day.values()), strict=True)
    return [
        round(max(1.0, variance(column) / fmean(column)), 2)
        if fmean(column) >= DISPERSION_FROM
        else 1.0
        for column in columns
    ]


def service(calls: Iterable[Call]) -> dict[str, object]:
    """Mean, median and quantiles of the service times within the trusted range."""
    low, high = SERVICE_RANGE_S
    times = sorted(
        call.served_s
        for call in calls
        if call.served_s is not None and low <= call.served_s <= high
    )
    shares = SERVICE_SHARES if len(times) >= FEW_CALLS else FEW_SHARES
    return {
        "calls": len(times),
        "mean_s": round(fmean(times), 1),
        "median_s": median(times),
        "shares": list(shares),
        "quantiles_s": [round(_quantile(times, share)) for share in shares],
    }


def _quantile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def survival(calls: Iterable[Call]) -> list[float]:
    """Kaplan-Meier: share still willing to wait; being answered ends the observation only."""
    ends = sorted((call.waited_s, call.served_s is not None) for call in calls)
    abandoned = Counter(waited for waited, answered in ends if not answered)
    ended = Counter(waited for waited, _ in ends)
    at_risk, share, shares = len(ends), 1.0, []
    for second in range(PATIENCE_AT_S[-1] + 1):
        share *= 1 - abandoned[second] / at_risk
        at_risk -= ended[second]
        shares.append(share)
    return [round(shares[second], 4) for second in PATIENCE_AT_S]


def derive(calls: list[Call]) -> dict[str, object]:
    """All aggregates, as they are shipped."""
    weekday_calls = [call for call in calls if call.day.weekday() in WEEKDAYS]
    by_day: dict[date, list[Call]] = {}
    for call in weekday_calls:
        by_day.setdefault(call.day, []).append(call)
    chosen = typical_day(by_day)
    of_type = {name: [c for c in weekday_calls if c.type == name] for name in TYPES}
    return {
        "source": "Technion Anonymous Bank call centre, August 1999 (SOURCE.md)",
        "weekdays": len(by_day),
        "interval_s": INTERVAL_S,
        "arrivals_mean": {
            name: [round(n / len(by_day), 3) for n in counts(found, INTERVAL_S)]
            for name, found in of_type.items()
        },
        "typical_day": chosen.isoformat(),
        "arrivals_typical": {
            name: counts((c for c in found if c.day == chosen), INTERVAL_S)
            for name, found in of_type.items()
        },
        "dispersion_interval_s": HALF_HOUR_S,
        "dispersion": dispersion(by_day),
        "service": {
            "all": service(calls),
            **{name: service(c for c in calls if c.type == name) for name in TYPES},
        },
        "patience_at_s": list(PATIENCE_AT_S),
        "patience_survival": survival(calls),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that holds calls_aug1999.csv")
    parser.add_argument("--output", type=Path, default=TARGET, help="file to write")
    arguments = parser.parse_args()
    found = derive(read_calls(arguments.folder / "calls_aug1999.csv"))
    lines = ",\n".join(f"{json.dumps(key)}: {_compact(value)}" for key, value in found.items())
    arguments.output.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _compact(value: object) -> str:
    """One line per named list, so that a change of the data reads well in a diff."""
    if isinstance(value, dict):
        inner = ",\n  ".join(f"{json.dumps(key)}: {_compact(item)}" for key, item in value.items())
        return f"{{\n  {inner}\n}}"
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()

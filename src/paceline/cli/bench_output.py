"""How measurements are shown: their progress, and a row for each figure. Used by the `bench` commands."""

import sys

import msgspec

from paceline.bench.spread import Spread

COLUMNS = ("figure", "median", "min", "max")


def tell(line: str) -> None:
    """A line of progress, beside the result."""
    print(line, file=sys.stderr, flush=True)


def rows_of(figures: msgspec.Struct) -> list[tuple[str, str, str, str]]:
    """A row for each figure that has a median."""
    return [
        (name, f"{value.median:,.4g}", f"{value.min:,.4g}", f"{value.max:,.4g}")
        for name, value in msgspec.structs.asdict(figures).items()
        if isinstance(value, Spread)
    ]

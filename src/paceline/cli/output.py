"""What commands print: tables for people, JSON for programs, durations as they write them.

Used by every command that shows results.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

FILE_WIDTH = 200
"""Columns of a table that is piped or written to a file: no cell is broken for want of a terminal."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|min|h)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def print_json(value: Any) -> None:
    """One value as JSON, for programs."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows as a table; says so when there are none."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    if table.row_count:
        console.print(table)
    else:
        console.print(f"{title}: none")


def duration(text: str) -> float:
    """Seconds of `90s`, `8m`, `1.5h`; a plain number is seconds."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise typer.BadParameter(f"'{text}' is no duration; write 90s, 10m or 2h")
    return float(found[1]) * _SECONDS[found[2]]

"""`paceline simulate`: a scenario's days under a pacing policy, as a table, JSON or a picture.

The worlds need the extra `sim`; they are imported when the command runs, so that the others start without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from paceline.cli.output import AsJson, print_json, print_table
from paceline.errors.failure import PacelineError

if TYPE_CHECKING:
    from paceline.simulator.numeric.study import Row

NEEDED = ("numba", "matplotlib")


def simulate(
    scenario: Annotated[
        str,
        typer.Argument(
            help="A TOML file, or e-grid, r-grid, changes, cold-start, lead-shortage, shared, bank-day, faults."
        ),
    ],
    policy: Annotated[str, typer.Option(help="Policy of the pacer.")] = "position",
    replications: Annotated[
        int | None, typer.Option(min=1, help="Days per cell, instead of the scenario's number.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Repeats the same chance.")] = 1,
    bound: Annotated[
        bool, typer.Option("--bound", help="Compare with the best utilization possible (World E).")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the day: permits, queue, utilization, abandonment.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate contact centres under a pacing policy and say how busy agents were and who left.

    Figures leave the warm-up out. Intervals are 95 %, over replications.
    """
    require_worlds()
    from paceline.simulator.numeric import study

    with progress_bar(scenario) as progress:
        result = study.study(
            scenario,
            policy=policy,
            seed=seed,
            replications=replications,
            with_bound=bound,
            picture=plot,
            progress=progress,
        )
    if as_json:
        print_json(result)
        return
    columns = ["cell", "utilization", "abandoned %", "bad days %", "worst 15 min %", "days"]
    if bound:
        columns += ["U*", "ratio"]
    print_table(f"{result.title}, policy {policy}", columns, map(_cells, result.rows))
    print(result.method)


def require_worlds() -> None:
    """Refuse in one line where the extra is not installed.

    Raises
    ------
    PacelineError
        `configuration_mistake`.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise PacelineError(
            "configuration_mistake",
            f"the simulation needs {' and '.join(missing)}: install 'paceline[sim]'",
        )


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error for a share from 0 to 1; silent where nobody looks."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _cells(row: Row) -> list[str]:
    figures = row.figures
    used, lost = figures.utilization, figures.abandoned
    cells = [
        figures.name,
        f"{used.value:.4f} ({used.low:.4f}–{used.high:.4f})",
        f"{100 * lost.value:.2f} ({100 * lost.low:.2f}–{100 * lost.high:.2f})",
        f"{100 * figures.bad_days:.1f}",
        f"{100 * figures.worst_quarter:.1f}",
        str(figures.replications),
    ]
    if row.bound is not None:
        cells += [f"{row.bound:.4f}", f"{used.value / row.bound:.4f}"]
    return cells

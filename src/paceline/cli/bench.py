"""`paceline bench`: measurements against the bounds that the design names."""

import sys
from typing import Annotated

import msgspec
import typer

from paceline.bench.interactions import Figures, Spread, measure
from paceline.cli import bench_pacing
from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.runtime.times import real_times

app = typer.Typer(no_args_is_help=True, help="Measure this installation on this machine.")
app.command("pacing")(bench_pacing.pacing)
app.command("cycle")(bench_pacing.cycle)


@app.callback()
def _root() -> None:
    """Measure this installation on this machine."""


@app.command()
def interactions(
    in_flight: Annotated[int, typer.Option(min=1, help="Requests under way at once.")] = 256,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of each phase.")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 3,
    backlog: Annotated[
        int, typer.Option(min=0, help="Interactions that wait meanwhile in the last phase.")
    ] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Measure the interaction path: submit, pull and stop, whole cycles, one caller alone.

    The server runs in a process of its own on an embedded database; the load comes from this one.
    Every answer is durable; events and tokens are on.
    """
    figures = run(
        measure(
            real_times(),
            in_flight=in_flight,
            seconds=seconds,
            rounds=rounds,
            backlog=backlog,
            progress=lambda line: print(line, file=sys.stderr),
        )
    )
    if as_json:
        print_json(figures)
    else:
        print_table("Interaction path", ("figure", "median", "min", "max"), _rows(figures))


def _rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    return [
        (name, f"{value.median:,.4g}", f"{value.min:,.4g}", f"{value.max:,.4g}")
        for name, value in msgspec.structs.asdict(figures).items()
        if isinstance(value, Spread)
    ]

"""`paceline bench`: measurements against the bounds that the design names.

What measures is imported when it runs, so that other commands start sooner.
"""

from typing import Annotated

import typer

from paceline.cli import bench_failover, bench_pacing
from paceline.cli.bench_output import COLUMNS, rows_of, tell
from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.runtime.times import real_times

app = typer.Typer(no_args_is_help=True, help="Measure this installation on this machine.")
app.command("pacing")(bench_pacing.pacing)
app.command("cycle")(bench_pacing.cycle)
app.command("failover")(bench_failover.failover)

DEFAULT_IN_FLIGHT = (256, 64)
"""The gate's number, and the one of the measured peers (issue 6)."""


@app.callback()
def _root() -> None:
    """Measure this installation on this machine."""


@app.command()
def interactions(
    in_flight: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Requests under way at once; may be given again for figures beside. "
            "[default: 256, then 64]",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of each phase.")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 5,
    backlog: Annotated[
        int, typer.Option(min=1000, help="Interactions that wait meanwhile in the last phase.")
    ] = 1_000_000,
    as_json: AsJson = False,
) -> None:
    """Measure the interaction path: submit, pull and stop, whole cycles, one caller alone.

    The server runs in a process of its own on an embedded database; the load comes from this one.
    Every answer is durable; events and tokens are on. Two plain tables that are used as queues,
    one with SKIP LOCKED and one with pgmq's statements, are measured in the same run. The defaults
    take about twelve minutes; `--seconds 1 --rounds 1 --backlog 10000` is a first look.
    """
    from paceline.bench.interactions import measure

    figures = run(
        measure(
            real_times(),
            in_flight=tuple(dict.fromkeys(in_flight or DEFAULT_IN_FLIGHT)),
            seconds=seconds,
            rounds=rounds,
            backlog=backlog,
            progress=tell,
        )
    )
    if as_json:
        print_json(figures)
        return
    print_table(f"Interaction path, {figures.in_flight} in flight", COLUMNS, rows_of(figures))
    for beside in figures.beside:
        print_table(f"Beside, {beside.in_flight} in flight", COLUMNS, rows_of(beside))

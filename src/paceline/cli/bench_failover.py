"""`paceline bench failover`: how long an interaction node is away when its process dies or stops."""

from typing import Annotated

import typer

from paceline.cli.bench_output import COLUMNS, rows_of, tell
from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.runtime.times import real_times


def failover(
    waiting: Annotated[
        int, typer.Option(min=1, help="Interactions that wait in the node meanwhile.")
    ] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Measure how long an interaction node is away when its process is killed, and when it is stopped.

    Two processes of one node run on one embedded database; one works and the other waits for its
    lease of 4 s. Each round kills the one that works (kill -9), then stops the other one in order,
    until another process has answered a pull. Callers go on meanwhile: their longest call is shown,
    and what they were told.
    """
    from paceline.bench.failover import measure_failover

    found = run(measure_failover(real_times(), waiting=waiting, rounds=rounds, progress=tell))
    if as_json:
        print_json(found)
        return
    print_table(f"One node, {found.waiting:,} waiting (seconds)", COLUMNS, rows_of(found))
    print_table("What callers were told", ("error", "times"), list(found.refused.items()))

"""`paceline demo`: the whole loop with made-up people, on an embedded database."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.all_in_one import AllInOne
from paceline.assembly.data_folder import DataFolder, default_folder
from paceline.assembly.example import example_changes
from paceline.cli.demo_world import choose_policy, demo_state, live
from paceline.cli.output import AsJson, duration, print_json, print_table
from paceline.cli.running import run, serve_until_stopped
from paceline.cli.up import DEFAULT_PORT, tell_entry
from paceline.runtime.log import configure_log
from paceline.runtime.times import real_times
from paceline.simulator.summary import DemoSummary
from paceline.units.quantities import Millis


class Policy(StrEnum):
    """How permits are computed."""

    POSITION = "position"
    PROGRESSIVE = "progressive"


PagePort = Annotated[int, typer.Option(min=0, max=65535, help="Port of the page.")]
Speed = Annotated[
    float, typer.Option(min=0.1, max=1000, help="Business seconds in a second; 1 to click along.")
]
Duration = Annotated[
    float | None,
    typer.Option(
        "--duration",
        parser=duration,
        metavar="TIME",
        help="How long it runs on your watch, such as 90s, 8m or 2h.",
        show_default="until Ctrl-C",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where everything is kept; a restart goes on from there.",
        show_default="/var/lib or the XDG state folder",
    ),
]
Rule = Annotated[
    Policy | None,
    typer.Option("--policy", help="How permits are computed.", show_default="as configured"),
]
Seed = Annotated[
    int | None, typer.Option(help="Repeats the same people.", show_default="the folder's own")
]
Headless = Annotated[bool, typer.Option("--headless", help="Run without a page.")]


def demo(
    port: PagePort = DEFAULT_PORT,
    speed: Speed = 60.0,
    duration_s: Duration = None,
    data_dir: Folder = None,
    policy: Rule = None,
    seed: Seed = None,
    headless: Headless = False,
    as_json: AsJson = False,
) -> None:
    """Watch the whole loop at work: a real bank's day, visitors who are invited, agents who help.

    Reactive customers come as they did to a bank on a weekday from 08:00; visitors are twenty times
    as many; invitations fill the agents' free time while abandonment stays under its goal. All
    servers run in this process on an embedded database and talk over sockets, as they would apart.
    At the end, after --duration or Ctrl-C, it prints what the servers counted.
    """
    folder = DataFolder(data_dir or default_folder("demo"))
    folder.prepare()
    configure_log(verbose="standard", output=str(folder.log_file))
    state = demo_state(folder.path / "demo.json", seed)

    async def serve() -> None:
        site = AllInOne(
            folder,
            make_times=lambda stopped_at: real_times(speed, stopped_at or Millis(state.opening)),
            changes=None,
            first_changes=example_changes,
            console_port=None if headless else port,
        )

        async def ready(stop: asyncio.Event) -> None:
            if policy is not None:
                await choose_policy(site, policy)
            if not headless and not as_json:
                tell_entry(site)
                print(f"Speed {speed:g}, seed {state.seed}", flush=True)
            tell_summary(await live(site, state, stop, duration_s), as_json)

        await serve_until_stopped(site, ready)

    run(serve())


def tell_summary(summary: DemoSummary, as_json: bool) -> None:
    """What the servers counted, as INTERFACES says or as a table."""
    if as_json:
        print_json(summary)
        return
    low, high = summary.abandoned_percent_interval
    counts, reactive = summary.interactions, summary.reactive
    rows = (
        ("business hours", f"{summary.business_hours:g}"),
        ("policy", summary.policy),
        ("permits granted", summary.permits),
        ("invitations", summary.invitations),
        ("accepted", summary.accepted),
        (
            "abandoned",
            f"{summary.abandoned}, {summary.abandoned_percent:g} % ({low:g} to {high:g} %), "
            f"goal {summary.goal_percent:g} %",
        ),
        ("utilization of agents", f"{100 * summary.utilization:.1f} %"),
        ("reactive customers", f"{reactive.arrived}, {reactive.abandoned} abandoned"),
        (
            "interactions",
            f"{counts.submitted} submitted, {counts.stopped} stopped, {counts.in_system} in work",
        ),
        ("events in the log", f"{summary.events}, {summary.events_recounted} counted again"),
        ("alarms", summary.alarms),
        ("errors in the log", summary.log_errors),
    )
    print_table("What the servers counted", ("figure", "value"), rows)

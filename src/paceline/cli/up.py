"""`paceline up`: a small site in one process, without made-up traffic."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.all_in_one import AllInOne
from paceline.assembly.data_folder import DataFolder, default_folder
from paceline.assembly.example import example_changes, read_changes
from paceline.cli.output import AsJson, print_json
from paceline.cli.running import run, serve_until_stopped
from paceline.runtime.log import configure_log
from paceline.runtime.times import real_times

DEFAULT_PORT = 8080
"""INTERFACES (Commands)."""


def up(
    config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration to apply at this start; by itself it is applied only once."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where everything is kept.", show_default="/var/lib or the XDG state folder"
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page.")] = DEFAULT_PORT,
    as_json: AsJson = False,
) -> None:
    """Run a small site in production: all servers in this process, on an embedded database.

    A new site begins with the example contact centre unless --config names another configuration.
    There is no rolling upgrade in one process: stop it, upgrade, start it. Larger sites run their
    servers one by one with `paceline serve`. run.json in the data folder says where everything is.
    """
    folder = DataFolder(data_dir or default_folder("site"))
    changes = None if config is None else read_changes(config)
    folder.prepare()
    configure_log(verbose="standard", output=str(folder.log_file))

    async def serve() -> None:
        site = AllInOne(
            folder,
            make_times=lambda _stopped_at: real_times(),
            changes=changes,
            first_changes=example_changes,
            console_port=port,
        )

        async def ready(stop: asyncio.Event) -> None:
            if as_json:
                print_json(folder.read_run())
            else:
                tell_entry(site)
            await stop.wait()

        await serve_until_stopped(site, ready)

    run(serve())


def tell_entry(site: AllInOne) -> None:
    """Where the page is, what the configuration's mistakes are, how to log in."""
    for finding in () if site.applied is None else site.applied.findings:
        print(
            f"{finding['object']}, {finding['field']}: {finding['consequence']}; {finding['fix']}"
        )
    print(f"Page: {site.first('console').url}", flush=True)
    print(f"Log in once with: {site.entry_link()}", flush=True)
    print(
        f"Later as {site.folder.read_run().user} with the password in {site.folder.password_file}"
    )
    print("Ctrl-C stops it.", flush=True)

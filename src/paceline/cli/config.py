"""`paceline config`: the configuration as one YAML file, in and out of the Configuration Server."""

from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.configuration_file import write_configuration
from paceline.assembly.example import read_changes
from paceline.assembly.new_secrets import with_new_secrets
from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.cli.site import DataDir, Door, Host, PasswordFile, Port, User, door, open_site
from paceline.errors.failure import PacelineError
from paceline.model.configuration import OBJECT_TYPES
from paceline.sdk.listing import listed
from paceline.wire.operations.configuration import Applied, ObjectRecord

MISTAKES = 1
"""Exit status of a check that found something."""

app = typer.Typer(
    no_args_is_help=True,
    help="Configuration objects as one YAML file. The site is found by its data folder, or by "
    "--host and --port of its Configuration Server.",
)

File = Annotated[Path, typer.Argument(help="YAML file of objects by type.", show_default=False)]


@app.command()
def apply(
    file: File,
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Create and change the objects of a file, all in one transaction or none.

    What is as the file says stays untouched, so that applying it again does nothing. Objects that
    the file does not name are left alone. Mistakes that are no reason to refuse are printed.
    """
    to = door(data_dir, host, port, user, password_file)
    applied = run(_apply(to, file, dry_run))
    if as_json:
        print_json(applied)
        return
    rows = [(row.type, row.name, row.action) for row in applied.items if row.action != "unchanged"]
    print_table("Would change" if dry_run else "Changed", ("type", "name", "what"), rows)
    _print_findings(applied)


@app.command()
def check(
    file: File,
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Name every mistake of a file against a running site; nothing is changed.

    Exit status 1 when there is one: an alias that is not the number, a media list, no capacity
    rule, an expression that cannot be read.
    """
    applied = run(_apply(door(data_dir, host, port, user, password_file), file, True))
    if as_json:
        print_json(applied.findings)
    else:
        _print_findings(applied)
    if applied.findings:
        raise typer.Exit(MISTAKES)


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; standard output without it.")
    ] = None,
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
) -> None:
    """Write all objects as a file that `apply` takes. Secrets stand as ***, which keeps them."""
    text = write_configuration(run(_objects(door(data_dir, host, port, user, password_file))))
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PacelineError(
            "start_refused", f"file {output} cannot be written: {error.strerror}", field="output"
        ) from None


@app.command()
def get(
    object_type: Annotated[
        str, typer.Argument(metavar="TYPE", help=f"One of {', '.join(OBJECT_TYPES)}.")
    ],
    name: Annotated[str | None, typer.Argument(help="Only the object of this name.")] = None,
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the objects of one type, or one of them."""
    if object_type not in OBJECT_TYPES:
        raise typer.BadParameter(f"'{object_type}' is no type; use {', '.join(OBJECT_TYPES)}")
    to = door(data_dir, host, port, user, password_file)
    found = run(_objects(to, (object_type,), name))
    if name is not None and not found:
        raise PacelineError("not_found", f"there is no '{name}' among the {object_type}")
    if as_json:
        print_json(found)
    else:
        print(write_configuration(found), end="")


async def _apply(to: Door, file: Path, dry_run: bool) -> Applied:
    changes = read_changes(file)
    async with open_site(to) as site:
        client = site.configuration
        filled = await with_new_secrets(client, changes)
        return await client.configuration.apply(changes=filled, dry_run=dry_run)


async def _objects(
    to: Door, types: tuple[str, ...] = OBJECT_TYPES, name: str | None = None
) -> list[ObjectRecord]:
    async with open_site(to) as site:
        return [
            item
            for object_type in types
            async for item in listed(site.configuration, object_type, name=name)
        ]


def _print_findings(applied: Applied) -> None:
    columns = ("object", "field", "consequence", "fix")
    rows = [tuple(finding[column] for column in columns) for finding in applied.findings]
    print_table("Mistakes", columns, rows)

"""`paceline db`: the databases of servers: can they be entered, which schemas do they hold."""

from typing import Annotated

import msgspec
import typer

from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.errors.failure import PacelineError
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import SCHEMAS
from paceline.storage.migrate import stored_version, upgrade
from paceline.storage.opening import open_database

MIGRATED = tuple(schema for schema in SCHEMAS if schema != "cluster")
"""Schemas with migrations; the lease's one table is made where it is needed."""

app = typer.Typer(
    no_args_is_help=True, help="Databases of servers: check that they can be entered, upgrade them."
)

Url = Annotated[
    str,
    typer.Argument(
        help="URL of the database, as its access point has it.",
        envvar="PACELINE_DATABASE",
        show_default=False,
    ),
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only this kind of server; may be repeated.")
]


class SchemaRow(msgspec.Struct, frozen=True):
    """One schema of a database; version 0 where there is none."""

    kind: str
    version: int
    readable_from: int


@app.command()
def check(url: Url, as_json: AsJson = False) -> None:
    """Enter a database and show the schemas that it holds.

    The URL may come from the environment variable PACELINE_DATABASE, so that a password in it is
    not seen among the processes.
    """
    rows = run(_versions(url))
    if as_json:
        print_json(rows)
    else:
        fields = SchemaRow.__struct_fields__
        print_table("Schemas", fields, (msgspec.structs.astuple(row) for row in rows))


@app.command(name="upgrade")
def upgrade_(url: Url, kind: Kinds = None, as_json: AsJson = False) -> None:
    """Bring the schemas of a database to the ones that this program writes.

    Every server does so for its own at its start; this does it beforehand. Running it again does
    nothing.
    """
    kinds = tuple(kind or MIGRATED)
    unknown = [name for name in kinds if name not in MIGRATED]
    if unknown:
        raise typer.BadParameter(f"'{unknown[0]}' has no schema; use {', '.join(MIGRATED)}")
    run(_upgrade(url, kinds))
    check(url, as_json)


async def _versions(url: str) -> list[SchemaRow]:
    point = from_url(url)
    database = open_database(point, times=real_times(), pool_size=1)
    try:
        found = [(kind, await stored_version(database, kind)) for kind in MIGRATED]
    except PacelineError as error:
        raise PacelineError(error.name, f"{point.describe()}: {error.message}") from None
    finally:
        await database.close()
    return [SchemaRow(kind, row.version, row.readable_from) for kind, row in found]


async def _upgrade(url: str, kinds: tuple[str, ...]) -> None:
    point = from_url(url)
    database = open_database(point, times=real_times(), pool_size=1)
    try:
        await upgrade(database, kinds)
    except PacelineError as error:
        raise PacelineError(error.name, f"{point.describe()}: {error.message}") from None
    finally:
        await database.close()

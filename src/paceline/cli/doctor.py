"""`paceline doctor`: why something does not work, as every server says it itself."""

import typer

from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.cli.site import (
    DataDir,
    Door,
    Host,
    OpenSite,
    PasswordFile,
    Port,
    User,
    door,
    open_site,
)
from paceline.errors.failure import PacelineError
from paceline.sdk import RouterClient
from paceline.wire.operations.configuration import ApplicationStatus

FOUND = 1
"""Exit status when there is a finding."""

COLUMNS = ("server", "object", "field", "consequence", "fix")


def doctor(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    user: User = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Collect what every server of a running site found wrong, and what would mend it.

    It tells why a target has no permits, why abandonment reads 0, why interactions are not
    delivered, which server is away. Exit status 1 when there is anything.
    """
    rows = run(_collect(door(data_dir, host, port, user, password_file)))
    if as_json:
        print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        print_table("Findings", COLUMNS, rows)
    if rows:
        raise typer.Exit(FOUND)


Row = tuple[str, str, str, str, str]


async def _collect(to: Door) -> list[Row]:
    async with open_site(to) as site:
        statuses = (await site.directory.statuses()).values()
        found = [row for status in statuses for row in await _ask(site, status)]
    return list(dict.fromkeys(found))


async def _ask(site: OpenSite, status: ApplicationStatus) -> list[Row]:
    name = status.application
    if status.application_type in ("application_cluster", "client", "database"):
        return []
    if "default" not in status.urls or status.status in ("stopped", "unknown"):
        return [(name, f"application '{name}'", "status", f"it is {status.status}", "start it")]
    try:
        # Every client has these operations; the router's is the smallest.
        client = RouterClient(await site.connect(name))
        answer = await client.server.findings()
    except PacelineError as error:
        return [(name, f"application '{name}'", "status", error.message, "look into its log")]
    return [(name, item.object, item.field, item.consequence, item.fix) for item in answer.items]

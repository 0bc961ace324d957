"""`paceline serve`: one server of a site, started by hand or by a service manager."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.bootstrap_file import configuration_host, read_bootstrap
from paceline.assembly.data_folder import DataFolder, default_folder
from paceline.assembly.database import DatabaseHost
from paceline.assembly.hosted_server import HostedServer
from paceline.assembly.site_link import Credentials
from paceline.cli.running import run, serve_until_stopped
from paceline.cli.site import read_password
from paceline.runtime.collector import settle_collector
from paceline.runtime.secret import Secret
from paceline.runtime.times import real_times


class ServerKind(StrEnum):
    """What can be served."""

    DATABASE = "database"
    CONFIGURATION = "configuration"
    MESSAGE = "message"
    INTERACTION = "interaction"
    STAT = "stat"
    ROUTER = "router"
    PACING = "pacing"
    ENGAGEMENT = "engagement"
    CONSOLE = "console"


def serve(
    kind: Annotated[ServerKind, typer.Argument(help="Which server.", show_default=False)],
    app: Annotated[str | None, typer.Option(help="Its application in the configuration.")] = None,
    host: Annotated[str, typer.Option(help="Host of the Configuration Server.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Configuration Server.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            help="Person to log in as, a member of access group server. Without it the application "
            "logs in itself."
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with the person's password or the application's secret."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="configuration: its own small file (database, port, folder)."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="database: its data folder.")] = None,
) -> None:
    """Run one server until SIGTERM or Ctrl-C.

    Begin with `serve configuration --config FILE`, a YAML file with database (a URL), folder (for
    the site key and the first administrator's password) and port. `paceline config apply` then
    makes the applications; give each a secret there (field secret: {file: ...}). Every other server
    needs only --app, --host, --port and --password-file: its options, connections and database are
    in its application. `serve database` runs the embedded PostgreSQL for servers of this machine.
    """
    if kind is ServerKind.DATABASE:
        run(_serve_database(data_dir))
    elif kind is ServerKind.CONFIGURATION:
        if config is None:
            raise typer.BadParameter("configuration needs --config FILE")
        run(_serve_configuration(config))
    elif app is None or port is None or password_file is None:
        raise typer.BadParameter(f"{kind} needs --app, --port and --password-file")
    else:
        secret = read_password(password_file)
        run(_serve_hosted(kind, app, f"http://{host}:{port}", user, secret))


async def _serve_database(data_dir: Path | None) -> None:
    folder = DataFolder(data_dir or default_folder("database"))
    folder.prepare()
    server = DatabaseHost(folder, real_times())
    await serve_until_stopped(server, lambda stop: _tell(server.url, stop))


async def _serve_configuration(config: Path) -> None:
    server = configuration_host(read_bootstrap(config), real_times())
    await serve_until_stopped(server, lambda stop: _tell(server.url, stop))


async def _serve_hosted(
    kind: ServerKind, app: str, site_url: str, user: str | None, secret: Secret
) -> None:
    server = HostedServer(
        kind,
        app,
        site_url=site_url,
        credentials=Credentials(secret, user),
        times=real_times(),
        owns_log=True,
    )
    await serve_until_stopped(server, lambda stop: _tell(server.url, stop))


async def _tell(url: str, stop: asyncio.Event) -> None:
    settle_collector()
    print(url, flush=True)
    await stop.wait()

"""How commands reach a running site: by its data folder, or by the Configuration Server's address.

Used by `config`, `ctl` and `doctor`. Logs in as a person; never as a server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.data_folder import DataFolder, default_folder
from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.runtime.times import real_times
from paceline.sdk import ConfigurationServerClient, Connection, open_socket_link
from paceline.sdk.directory import Directory
from paceline.sdk.login import TokenKeeper, password_token
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind

PATIENCE_S = 5.0
"""A server that does not answer in this time is reported as away (chosen)."""

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Data folder of a site started by demo or up; its run.json says how to reach it. "
        "Default: the one where a site runs.",
        show_default=False,
    ),
]
Host = Annotated[
    str | None,
    typer.Option("--host", help="Host of the Configuration Server, instead of a data folder."),
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="Port of the Configuration Server.")
]
User = Annotated[str | None, typer.Option("--user", help="Who to log in as.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File with that person's password.")
]


class Door:
    """Where a site is and who asks."""

    def __init__(self, url: str, user: str, password: Secret) -> None:
        self.url = url
        self.user = user
        self.password = password


def door(
    data_dir: Path | None,
    host: str | None,
    port: int | None,
    user: str | None,
    password_file: Path | None,
) -> Door:
    """The site that the options name.

    Raises
    ------
    PacelineError
        When they name none, or a file cannot be read.
    """
    if host is not None or port is not None:
        if host is None or port is None or user is None or password_file is None:
            raise typer.BadParameter("give --host, --port, --user and --password-file together")
        return Door(f"http://{host}:{port}", user, read_password(password_file))
    run = _folder(data_dir).read_run()
    url = run.servers["configuration"][0].url
    return Door(url, user or run.user, read_password(password_file or Path(run.password_file)))


def read_password(path: Path) -> Secret:
    """The first line of a password file.

    Raises
    ------
    PacelineError
        `start_refused` naming the file and what is wrong with it.
    """
    try:
        return Secret(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PacelineError(
            "start_refused",
            f"password file {path} cannot be read: {why}; name another with --password-file",
            field="password_file",
        ) from None


def _folder(data_dir: Path | None) -> DataFolder:
    if data_dir is not None:
        return DataFolder(data_dir)
    folders = [DataFolder(default_folder(purpose)) for purpose in ("site", "demo")]
    return next((folder for folder in folders if folder.is_running()), folders[0])


class OpenSite:
    """Connections of one command to one site."""

    def __init__(self, link: Connection, token: TokenKeeper) -> None:
        self._times = real_times()
        self._token = token
        self._opened = [link]
        self.configuration = ConfigurationServerClient(link)
        self.directory = Directory(self.configuration, self._times)

    async def connect(self, application: str, client_kind: ClientKind = "operator") -> Connection:
        """An open connection to a server, by its application's name.

        Raises
        ------
        PacelineError
            When it does not answer.
        """
        connection = Connection(
            self.directory.link_to(application),
            times=self._times,
            client="command line",
            client_kind=client_kind,
            token=self._token,
        )
        self._opened.append(connection)
        connection.start()
        try:
            await connection.wait_connected(PATIENCE_S)
        except PacelineError as silent:
            raise PacelineError(
                "owner_unavailable", f"'{application}' does not answer: {silent.message}"
            ) from None
        return connection

    async def connect_type(self, application_type: str) -> Connection:
        """An open connection to the first server of a type that runs.

        Raises
        ------
        PacelineError
            When none does.
        """
        for status in (await self.directory.statuses()).values():
            if status.application_type == application_type and status.status == "started":
                return await self.connect(status.application)
        raise PacelineError(
            "owner_unavailable", f"no {application_type} of this site runs; start one"
        )

    async def close(self) -> None:
        """Close everything."""
        for connection in self._opened:
            await connection.close()


@asynccontextmanager
async def open_site(to: Door) -> AsyncIterator[OpenSite]:
    """The site behind a door.

    Raises
    ------
    PacelineError
        When it does not answer or refuses the login.
    """
    times = real_times()

    async def open_link() -> Link:
        return await open_socket_link(to.url)

    token = password_token(open_link, times=times, user=to.user, password=to.password)
    await token(patience_s=PATIENCE_S)
    link = Connection(
        open_link, times=times, client="command line", client_kind="operator", token=token
    )
    link.start()
    site = OpenSite(link, token)
    try:
        yield site
    finally:
        await site.close()

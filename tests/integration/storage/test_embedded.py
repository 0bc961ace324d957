"""The embedded PostgreSQL as real processes: start, kill, restart, and folders it cannot use."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import real_times
from paceline.storage import embedded, service_account
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.embedded import EmbeddedPostgres, find_programs
from paceline.storage.lent_programs import lend_programs
from paceline.storage.opening import open_database

pytestmark = pytest.mark.integration
TIMES = real_times()

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from paceline.runtime.times import real_times
from paceline.storage import embedded, service_account
from paceline.storage.embedded import EmbeddedPostgres, find_programs
from paceline.storage.lent_programs import lend_programs

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), real_times())
    await server.start()
    await server.create_database("site")
    print(server.url("site"), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder that every account may enter."""
    yield from _new_folder()


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    """One for all tests that do not mind what others left in it: data are made once."""
    yield from _new_folder()


def _new_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="paceline-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def closed_folder(folder: Path) -> Path:
    """A data folder below one that only its owner may enter."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    return closed / "data"


def supervise(folder: Path) -> "subprocess.Popen[str]":
    """Another process that holds the server; returns when it is ready."""
    source = Path(__file__).parents[3] / "src"
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(source)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def has_namespaces() -> bool:
    """Whether this process may make a user namespace."""
    tried = subprocess.run(["unshare", "-U", "true"], check=False, capture_output=True)
    return tried.returncode == 0


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def server_pid(folder: Path) -> int:
    return int((folder / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


async def opened(server: EmbeddedPostgres) -> Database:
    await server.create_database("site")
    return open_database(from_url(server.url("site")), times=TIMES)


def test_restart_keeps_the_data(used_folder: Path) -> None:
    """What was committed is there after a stop and a start; stopping and starting twice is fine."""

    async def main() -> None:
        server = EmbeddedPostgres(used_folder, TIMES)
        await server.stop()
        for turn in (1, 2):
            await server.start()
            await server.start()
            database = await opened(server)
            await database.execute("CREATE TABLE IF NOT EXISTS restarted (a integer)")
            await database.execute("INSERT INTO restarted VALUES (1)")
            [row] = await database.fetch("SELECT count(*) FROM restarted")
            assert row[0] == turn
            settings = await database.fetch(
                "SELECT current_setting('server_encoding'), datcollate,"
                " current_setting('synchronous_commit') FROM pg_database WHERE datname = 'site'"
            )
            assert tuple(settings[0]) == ("UTF8", "C", "on")
            await database.close()
            await server.stop()
            await server.stop()

    asyncio.run(main())


def test_a_killed_server_is_started_again(used_folder: Path) -> None:
    """After kill -9 of the server its watch restarts it, and committed rows are read again."""

    async def main() -> None:
        server = EmbeddedPostgres(used_folder, TIMES)
        await server.start()
        watching = asyncio.create_task(server.watch())
        database = await opened(server)
        await database.execute("CREATE TABLE kept (a integer)")
        await database.execute("INSERT INTO kept VALUES (7)")
        os.kill(server_pid(used_folder), signal.SIGKILL)
        for _ in range(12):  # each waits some seconds for a connection
            try:
                rows = await database.fetch("SELECT a FROM kept")
                break
            except PacelineError as error:
                assert error.name == "database_unavailable"
        assert [tuple(row) for row in rows] == [(7,)]
        watching.cancel()
        await database.close()
        await server.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("is_closed", "is_waited_for"),
    [(False, False), (True, True), pytest.param(False, True, marks=pytest.mark.slow)],
)
def test_a_killed_supervisor_takes_the_server_along(
    request: pytest.FixtureRequest, is_closed: bool, is_waited_for: bool
) -> None:
    """After kill -9 of the supervisor the server ends by itself, and the next start needs no help."""
    folder: Path = request.getfixturevalue("folder" if is_closed else "used_folder")
    if is_closed:
        if os.geteuid() == 0 and not has_namespaces():
            pytest.skip("user namespaces are not allowed here: root cannot use a closed folder")
        folder.chmod(0o700)
    supervisor = supervise(folder)
    left = psutil.Process(server_pid(folder))
    end(supervisor)
    if is_waited_for:
        left.wait(60)

    async def main() -> None:
        server = EmbeddedPostgres(folder, TIMES)
        await server.start()
        assert server_pid(folder) != left.pid
        database = await opened(server)
        assert await database.fetch("SELECT 1")
        await database.close()
        await server.stop()

    asyncio.run(main())


def test_a_folder_in_use_is_named(used_folder: Path) -> None:
    """A second supervisor is refused in one line with the folder and the process; the first goes on."""
    supervisor = supervise(used_folder)
    try:
        with pytest.raises(PacelineError) as caught:
            asyncio.run(EmbeddedPostgres(used_folder, TIMES).start())
        assert caught.value.name == "start_refused"
        assert str(used_folder) in caught.value.message
        assert str(supervisor.pid) in caught.value.message
    finally:
        running = psutil.Process(server_pid(used_folder))
        end(supervisor)
        running.wait(60)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
def test_a_closed_folder_needs_a_namespace(closed_folder: Path) -> None:
    """Below a 0700 folder root's server still runs, and no folder's mode is changed."""

    async def main() -> None:
        server = EmbeddedPostgres(closed_folder, TIMES)
        try:
            await server.start()
        except PacelineError as refused:  # where user namespaces are not allowed
            assert str(closed_folder.parent) in refused.message
            assert refused.field == "data_dir"
        await server.stop()

    asyncio.run(main())
    assert closed_folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
def test_programs_in_a_closed_folder_are_lent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without user namespaces root's server runs from a copy of the programs, made once."""
    closed = folder / "closed" / "site-packages"
    closed.mkdir(parents=True)
    installed = find_programs().parent
    package = installed.parent
    shutil.copytree(installed, closed / package.name / installed.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    closed.parent.chmod(0o700)
    programs = closed / package.name / installed.name / "bin"

    def no_namespace() -> None:
        raise OSError("not allowed here")

    monkeypatch.setattr(embedded, "find_programs", lambda: programs)
    monkeypatch.setattr(service_account, "_enter_namespace", no_namespace)
    monkeypatch.setattr(
        embedded, "lend_programs", lambda found: lend_programs(found, shared=folder / "shared")
    )

    async def main() -> None:
        for _ in range(2):
            server = EmbeddedPostgres(folder / "data", TIMES)
            await server.start()
            await server.stop()

    asyncio.run(main())
    assert len(list((folder / "shared").iterdir())) == 1
    assert closed.parent.stat().st_mode & 0o777 == 0o700


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    """A data folder too deep for a socket's path works all the same."""
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    async def main() -> None:
        server = EmbeddedPostgres(deep, TIMES)
        await server.start()
        database = await opened(server)
        assert await database.fetch("SELECT 1")
        await database.close()
        await server.stop()

    asyncio.run(main())


def test_data_of_another_version_is_refused(folder: Path) -> None:
    """A folder made by another PostgreSQL is refused in one line that names both versions."""
    (folder / "pgdata").mkdir(mode=0o700)
    (folder / "pgdata" / "PG_VERSION").write_text("13\n")
    with pytest.raises(PacelineError, match="PostgreSQL 13"):
        asyncio.run(EmbeddedPostgres(folder, TIMES).start())


def test_a_half_made_folder_is_made_anew(folder: Path) -> None:
    """Killed while it made its data, the next start begins again."""
    (folder / "pgdata.new").mkdir()
    (folder / "pgdata.new" / "PG_VERSION").write_text("18\n")

    async def main() -> None:
        server = EmbeddedPostgres(folder, TIMES)
        await server.start()
        await server.stop()

    asyncio.run(main())
    assert not (folder / "pgdata.new").exists()

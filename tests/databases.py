"""Databases for tests: one embedded PostgreSQL per session, a fresh database per test, and SQLite.

A test module imports the fixtures it needs: `from tests.databases import postgres_server, …`.
"""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.embedded import EmbeddedPostgres
from paceline.storage.opening import open_database

_count = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The session's PostgreSQL server, in a folder that goes with it."""
    # Not pytest's own folder: that is closed to the account which root lends the database.
    folder = Path(tempfile.mkdtemp(prefix="paceline-test-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder, real_times())
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())
    shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty PostgreSQL database of this test's own."""
    name = f"test_{next(_count)}"
    asyncio.run(postgres_server.create_database(name))
    return postgres_server.url(name)


@pytest.fixture(params=["postgresql", "sqlite file", "sqlite inline"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once per engine; `sqlite://` is meant to be opened inline."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'site.db'}" if request.param == "sqlite file" else "sqlite://"


def run_on(url: str, act: Callable[[Database], Awaitable[None]]) -> None:
    """Runs `act` on a database opened for it."""

    async def main() -> None:
        database = open_database(from_url(url), times=real_times(), inline=url == "sqlite://")
        try:
            await act(database)
        finally:
            await database.close()

    asyncio.run(main())

"""Migrations on every engine."""

from pathlib import Path

import pytest

from paceline.errors.failure import PacelineError
from paceline.storage.database import Database
from paceline.storage.migrate import SchemaVersion, stored_version, upgrade
from tests.databases import database_url, postgres_server, postgres_url, run_on

__all__ = ["database_url", "postgres_server", "postgres_url"]

FIRST = '''"""First."""
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1


def upgrade() -> None:
    op.create_table(
        "thing",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("body", sa.JSON().with_variant(sa.Text(), "sqlite")),
        schema="stat",
    )
    op.create_index("open_things", "thing", ["tenant_id", "name"], schema="stat",
        postgresql_where=sa.text("is_open"), sqlite_where=sa.text("is_open"))
'''
SECOND = '''"""Second."""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
readable_from = 1


def upgrade() -> None:
    op.add_column("thing", sa.Column("count", sa.Integer, server_default="7"), schema="stat")
    {more}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of the kind `stat` with its first migration."""
    made = tmp_path / "stat" / "store" / "migrations"
    made.mkdir(parents=True)
    (made / "__init__.py").touch()
    (made / "0001_first.py").write_text(FIRST)
    return made


def test_upgrade_step_by_step(database_url: str, folder: Path, tmp_path: Path) -> None:
    """A new database gets the tables, a later migration keeps the rows, a repeat does nothing."""

    async def act(database: Database) -> None:
        assert await stored_version(database, "stat") == SchemaVersion(0, 0)
        for _ in range(2):
            await upgrade(database, ["stat"], root=tmp_path)
        assert await stored_version(database, "stat") == SchemaVersion(1, 1)
        await database.execute("INSERT INTO stat.thing VALUES (1, 'a', true, '{}')")
        (folder / "0002_second.py").write_text(SECOND.format(more=""))
        await upgrade(database, ["stat"], root=tmp_path)
        assert await stored_version(database, "stat") == SchemaVersion(2, 1)
        rows = await database.fetch("SELECT name, is_open, body, count FROM stat.thing")
        assert [tuple(row) for row in rows] == [("a", True, "{}", 7)]

    run_on(database_url, act)


def test_a_failed_upgrade_changes_nothing(database_url: str, folder: Path, tmp_path: Path) -> None:
    """When a statement of a migration fails, the schema and its version stay as they were."""

    async def act(database: Database) -> None:
        await upgrade(database, ["stat"], root=tmp_path)
        (folder / "0002_second.py").write_text(SECOND.format(more="op.execute('SELECT nonsense')"))
        with pytest.raises(Exception, match="nonsense"):
            await upgrade(database, ["stat"], root=tmp_path)
        assert await stored_version(database, "stat") == SchemaVersion(1, 1)
        assert not await database.fetch("SELECT * FROM stat.thing")

    run_on(database_url, act)


def test_an_upgrade_may_take_as_long_as_the_rows_need(
    postgres_url: str, folder: Path, tmp_path: Path
) -> None:
    """No statement of a migration is ended by the timeout of requests; locks still are not waited for long."""
    insert = (
        "INSERT INTO stat.thing SELECT 1, current_setting('statement_timeout') || ' ' || "
        "current_setting('lock_timeout'), true"
    )

    async def act(database: Database) -> None:
        await upgrade(database, ["stat"], root=tmp_path)
        (folder / "0002_second.py").write_text(SECOND.format(more=f'op.execute("{insert}")'))
        await upgrade(database, ["stat"], root=tmp_path)
        [[found]] = await database.fetch("SELECT name FROM stat.thing")
        assert found == "0 5s"
        [[ordinary]] = await database.fetch("SELECT current_setting('statement_timeout')")
        assert ordinary == "10s"

    run_on(postgres_url, act)


@pytest.mark.parametrize(("readable_from", "is_refused"), [(1, False), (2, True)])
def test_a_newer_schema(
    database_url: str, folder: Path, tmp_path: Path, readable_from: int, is_refused: bool
) -> None:
    """An older program works on a schema that says so, and is refused in words by one that does not."""

    async def act(database: Database) -> None:
        await upgrade(database, ["stat"], root=tmp_path)
        await database.execute(
            "UPDATE stat.schema_version SET version = 2, readable_from = $1", readable_from
        )
        if is_refused:
            with pytest.raises(PacelineError, match="stat schema"):
                await upgrade(database, ["stat"], root=tmp_path)
        else:
            await upgrade(database, ["stat"], root=tmp_path)

    run_on(database_url, act)

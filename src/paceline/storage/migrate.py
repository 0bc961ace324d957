"""Brings a database to the schema that this program writes; one Alembic branch per server kind.

Called by assembly before a server opens its store, and by `paceline db upgrade`. Alembic writes
the SQL, the port runs it in one transaction, so a migration may only issue statements, never read
rows. Alembic is not even loaded when the schema is current, which keeps a start short.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.storage.database import Database, Engine, Queries, Transaction

SERVERS = Path(__file__).parents[1] / "servers"
_FILE = re.compile(r"(\d{4})_\w+\.py")
_LOCK = 7801
"""Advisory lock of migrations: two processes that start at once take turns (number chosen)."""

_log = get_log("storage.migrate")


class SchemaVersion(NamedTuple):
    """Version of a stored schema, and the oldest program that can work with it."""

    version: int
    readable_from: int


async def upgrade(database: Database, kinds: Sequence[str], *, root: Path = SERVERS) -> None:
    """Make each kind's schema in this database the one that this program writes.

    After return the tables are there; after an error nothing of that kind has changed. May be
    repeated. A schema newer than this program is accepted as far as its `readable_from` says.

    Parameters
    ----------
    root
        Folder with `<kind>/store/migrations/NNNN_what.py` for each kind. Each file has `revision`
        (NNNN), `down_revision`, `readable_from` (the oldest schema version whose programs can
        work on this one) and `upgrade()`, which calls `alembic.op` with `schema=<kind>`.

    Raises
    ------
    PacelineError
        `start_refused` when the database was written by a program too new for this one.
    """
    for kind in kinds:
        folder = root / kind / "store" / "migrations"
        wanted = _latest(folder)
        found = await stored_version(database, kind)
        if found.version > wanted >= found.readable_from:
            _log.warning("the schema is newer than this program", kind=kind, version=found.version)
        elif found.version > wanted:
            raise PacelineError(
                "start_refused",
                f"the {kind} schema of the database has version {found.version} and needs programs "
                f"of schema {found.readable_from} or later, this one has {wanted}; upgrade "
                "Paceline on this machine",
                field="schema_version",
            )
        elif found.version < wanted:
            await _write(database, kind, folder)


async def stored_version(database: Database, kind: str) -> SchemaVersion:
    """Version of a kind's schema in this database; zeros when there is none."""
    return await _read(database, database.engine, kind)


async def _read(queries: Queries, engine: Engine, kind: str) -> SchemaVersion:
    known = await queries.fetch(
        f"SELECT 1 WHERE to_regclass('{kind}.schema_version') IS NOT NULL"
        if engine == "postgresql"
        else f"SELECT 1 FROM {kind}.sqlite_master WHERE name = 'schema_version'"
    )
    if not known:
        return SchemaVersion(0, 0)
    [row] = await queries.fetch(f"SELECT version, readable_from FROM {kind}.schema_version")
    return SchemaVersion(row[0], row[1])


async def _write(database: Database, kind: str, folder: Path) -> None:
    engine = database.engine

    async def work(transaction: Transaction) -> None:
        if engine == "postgresql":
            # The other process takes as long as its rows need; a table in use is not waited for so.
            await transaction.execute("SET LOCAL lock_timeout = 0")
            await transaction.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await transaction.execute("SET LOCAL lock_timeout TO DEFAULT")
            await transaction.execute(f"CREATE SCHEMA IF NOT EXISTS {kind}")
        found = await _read(transaction, engine, kind)
        reached, statements = _statements(folder, engine, found)
        if reached == found:
            return  # another process was first
        if found.version == 0:
            await transaction.execute(
                f"CREATE TABLE {kind}.schema_version (version integer, readable_from integer)"
            )
        for statement in statements:
            await transaction.execute(statement)
        await transaction.execute(f"DELETE FROM {kind}.schema_version")
        await transaction.execute(f"INSERT INTO {kind}.schema_version VALUES ($1, $2)", *reached)
        _log.standard("schema upgraded", kind=kind, before=found.version, after=reached.version)

    await database.schema_transaction(work)


def _latest(folder: Path) -> int:
    return max(int(named[1]) for path in folder.iterdir() if (named := _FILE.fullmatch(path.name)))


class _Collected(io.StringIO):
    """Takes Alembic's statements one by one, as its offline mode writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        if text.strip():
            self.statements.append(text.strip())
        return len(text)


def _statements(
    folder: Path, engine: Engine, found: SchemaVersion
) -> tuple[SchemaVersion, list[str]]:
    """SQL of all migrations after a version, and the version they reach."""
    # Loading Alembic takes longer than all else at a start with a current schema.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    collected = _Collected()
    context = MigrationContext.configure(
        dialect_name=engine, opts={"as_sql": True, "output_buffer": collected}
    )
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder)])
    reached = found
    with Operations.context(context):
        for script in reversed(list(scripts.walk_revisions())):
            if int(script.revision) > found.version:
                script.module.upgrade()
                reached = SchemaVersion(int(script.revision), script.module.readable_from)
    return reached, collected.statements

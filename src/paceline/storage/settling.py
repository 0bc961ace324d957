"""Brings a measured PostgreSQL to the state of one in use, so that no measurement pays for its youth.

Used by bench only; a server in use has this done by PostgreSQL's own workers within minutes.
"""

from typing import Final

from paceline.storage.database import Database

LOG_MB: Final = 2048
"""What `min_wal_size` of the embedded server keeps files for."""
PIECES: Final = 32


async def break_in(database: Database) -> None:
    """Writes as much log as the server keeps files for, which it then uses again and again.

    In a server's first minutes each 16 MB of log are a new file, and commits wait for it to be filled
    with zeros: 50-70 ms (measured: one request in fifty at full load).
    """
    for _ in range(PIECES):
        await database.execute(
            "SELECT pg_logical_emit_message(false, 'bench', repeat('x', 1048576)) "
            f"FROM generate_series(1, {LOG_MB // PIECES})"
        )
    await database.change_schema("CHECKPOINT")


async def settle(database: Database) -> None:
    """Bring statistics and visibility of all tables up to date, and all pages to the disk."""
    await database.change_schema("VACUUM (ANALYZE)")
    await database.change_schema("CHECKPOINT")

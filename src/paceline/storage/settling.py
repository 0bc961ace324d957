"""Lets PostgreSQL finish what a heavy load left to do, so that the next measurement does not pay for it.

Used by bench only; a server in use has this done by PostgreSQL's own workers within minutes.
"""

from paceline.storage.database import Database


async def settle(database: Database) -> None:
    """Bring statistics and visibility of all tables up to date, and all pages to the disk."""
    await database.change_schema("VACUUM (ANALYZE)")
    await database.change_schema("CHECKPOINT")

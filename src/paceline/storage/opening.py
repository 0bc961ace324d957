"""Opens a database behind the port, whatever its engine.

Called by assembly, the command line and tests; everything else only sees the port.
"""

from paceline.runtime.times import Times
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database
from paceline.storage.postgres import PostgresDatabase
from paceline.storage.sqlite import SqliteDatabase

POOL_SIZE = 5
"""The documented default of number-of-database-connections (requirements I05)."""


def open_database(
    access_point: AccessPoint,
    *,
    times: Times,
    pool_size: int = POOL_SIZE,
    inline: bool = False,
) -> Database:
    """Open a database; PostgreSQL connects with the first statement, SQLite makes its files now.

    Parameters
    ----------
    pool_size
        Connections for reading on PostgreSQL, beside the one that writes.
    inline
        SQLite only: run statements in the caller, for simulations on a virtual loop.
    """
    if access_point.engine == "sqlite":
        return SqliteDatabase(access_point, inline=inline)
    return PostgresDatabase(access_point, times=times, pool_size=pool_size)

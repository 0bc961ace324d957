"""Leases as rows of a database: `cluster.lease`, in each node's database and the cluster store.

Called by lease.py. PostgreSQL compares with its own clock; SQLite, which lives in this process,
with the machine time it is given. Each question is one statement that commits by itself.
"""

from paceline.cluster.lease import LeaseRecord
from paceline.runtime.times import Times
from paceline.storage.database import Database
from paceline.units.ids import Epoch

_TABLE = """
CREATE TABLE IF NOT EXISTS cluster.lease (
    name text PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at bigint NOT NULL,
    address text NOT NULL
)
"""
_LOCK = 7802
"""Advisory lock while the table is made (number chosen)."""
_POSTGRES_CLOCK = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"

# `now` is the last parameter on SQLite and the server's clock on PostgreSQL. The condition is
# judged after the row is locked, so of two processes that ask at once one gets the lease.
_TAKE = """
INSERT INTO cluster.lease AS kept (name, holder, epoch, expires_at, address)
VALUES ($1, $2, {now} / 1000, {now} + $4, $3)
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    epoch = CASE WHEN excluded.epoch > kept.epoch THEN excluded.epoch ELSE kept.epoch + 1 END,
    expires_at = {now} + $4,
    address = excluded.address
WHERE kept.expires_at <= {now} OR kept.holder = excluded.holder
RETURNING epoch
"""
_RENEW = """
UPDATE cluster.lease SET expires_at = {now} + $4
WHERE name = $1 AND holder = $2 AND epoch = $3
"""
_RELEASE = """
UPDATE cluster.lease SET expires_at = 0, holder = ''
WHERE name = $1 AND holder = $2 AND epoch = $3
"""
_READ = """
SELECT holder, epoch, address, expires_at > {now} FROM cluster.lease WHERE name = $1
"""


class DatabaseLeases:
    """The leases of one database.

    Give it a Database of its own (`pool_size=1`) where slow reads could keep renewals waiting.
    """

    def __init__(self, database: Database, times: Times) -> None:
        self._database = database
        self._machine = times.machine
        self._own_clock = database.engine == "postgresql"

    async def prepare(self) -> None:
        """Make the table unless it is there."""
        if self._own_clock:
            found = await self._database.fetch(
                "SELECT 1 WHERE to_regclass('cluster.lease') IS NULL"
            )
            if not found:
                return
            # Sent together they are one transaction. The lock is for two processes that start at
            # once: IF NOT EXISTS alone may collide.
            await self._database.execute(
                f"SELECT pg_advisory_xact_lock({_LOCK});"
                f"CREATE SCHEMA IF NOT EXISTS cluster;{_TABLE}"
            )
        else:
            await self._database.execute(_TABLE)

    async def take(self, name: str, holder: str, address: str, lease_s: float) -> Epoch | None:
        """See `LeaseStore`."""
        lease_ms = int(lease_s * 1000)
        sql, now = self._with_clock(_TAKE, 5)
        rows = await self._database.fetch(sql, name, holder, address, lease_ms, *now)
        return Epoch(rows[0][0]) if rows else None

    async def renew(self, name: str, holder: str, epoch: Epoch, lease_s: float) -> bool:
        """See `LeaseStore`."""
        sql, now = self._with_clock(_RENEW, 5)
        lease_ms = int(lease_s * 1000)
        return await self._database.execute(sql, name, holder, epoch, lease_ms, *now) == 1

    async def release(self, name: str, holder: str, epoch: Epoch) -> None:
        """See `LeaseStore`."""
        await self._database.execute(_RELEASE, name, holder, epoch)

    async def read(self, name: str) -> LeaseRecord | None:
        """See `LeaseStore`."""
        sql, now = self._with_clock(_READ, 2)
        rows = await self._database.fetch(sql, name, *now)
        if not rows:
            return None
        holder, epoch, address, is_valid = rows[0]
        return LeaseRecord(holder, Epoch(epoch), address, bool(is_valid))

    def _with_clock(self, sql: str, place: int) -> tuple[str, tuple[int, ...]]:
        """The statement with its clock, and the clock's parameter if it has one."""
        if self._own_clock:
            return sql.format(now=_POSTGRES_CLOCK), ()
        return sql.format(now=f"${place}"), (self._machine.now(),)

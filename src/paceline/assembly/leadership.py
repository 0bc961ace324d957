"""A lease held in a database for as long as a server runs, and given back after its last write.

Used by the builders of servers that write or send alone: interaction nodes, pacing masters.
"""

from collections.abc import Callable

from paceline.assembly.surroundings import REAL_SURROUNDINGS, Surroundings
from paceline.cluster.database_lease import DatabaseLeases
from paceline.cluster.lease import Lease
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.storage.access_point import AccessPoint
from paceline.units.ids import Epoch


class Leadership:
    """One lease on a database connection of its own, so that slow reads delay no renewal.

    Parameters
    ----------
    holder
        Unique for this run of the process, or for a data folder that only one process can use.
    on_lost
        Called with a sentence for people when another process took the lease.
    """

    def __init__(
        self,
        name: str,
        *,
        point: AccessPoint,
        holder: str,
        address: str,
        times: Times,
        on_lost: Callable[[str], None],
        surroundings: Surroundings = REAL_SURROUNDINGS,
    ) -> None:
        self._database = surroundings.open_database(point, times=times, pool_size=1)
        clock = surroundings.store_clock or times.machine
        self._leases = DatabaseLeases(self._database, Times(clock, times.business))
        self._lease = Lease(
            self._leases, name, holder=holder, address=address, times=times, on_lost=on_lost
        )
        self._tasks = TaskGroup(f"lease {name}", on_lost)

    @property
    def epoch(self) -> Epoch:
        """Fencing number of this leadership; raises `stale_epoch` while it is not held."""
        return self._lease.epoch

    def is_held(self) -> bool:
        """Whether the lease was taken and neither released nor refused since."""
        return self._lease.is_held()

    def is_trusted(self) -> bool:
        """Whether this process may act alone right now."""
        return self._lease.is_trusted()

    async def is_taken(self) -> bool:
        """Whether any process holds the lease now, by the store's word."""
        found = await self._leases.read(self._lease.name)
        return found is not None and found.is_valid

    async def take(self) -> Epoch:
        """Wait until the lease is ours, then keep it."""
        await self._leases.prepare()
        epoch = await self._lease.wait()
        self._tasks.start("keep", self._lease.keep())
        return epoch

    async def compete(self) -> None:
        """Wait for the lease in the background, and again whenever it is lost."""
        await self._leases.prepare()
        self._tasks.start("compete", self._compete())

    async def release(self) -> None:
        """Hand over at once; after the last write. Twice is fine."""
        await self._tasks.aclose()
        await self._lease.release()
        await self._database.close()

    async def _compete(self) -> None:
        while True:
            await self._lease.wait()
            await self._lease.keep()

"""A lease and when its holder may trust it: leadership with an epoch, by any store.

Used by servers that write alone (interaction nodes, pacing masters). The holder's own trust ends
before the store gives the lease to another, on its own monotonic clock; a paused process has lost
trust when it wakes. Never starts a task: `keep` goes into the server's task group.
"""

from asyncio import timeout
from collections.abc import Callable
from typing import NamedTuple, Protocol

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.units.ids import Epoch

LEASE_S = 4.0
"""How long the store honours a lease after the last renewal (ARCHITECTURE: decision 7)."""
RENEW_S = 1.0
"""Pause between renewals (decision 7)."""
TRUST_S = 3.0
"""How long the holder trusts itself, from before the renewal was sent (decision 7)."""
POLL_S = 0.1
"""How often a waiting process asks: takes over at most this long after the lease ended (chosen: a
fifth of what a hand-over may take; a question writes nothing)."""

_log = get_log("cluster.lease")


class LeaseRecord(NamedTuple):
    """Who holds a lease by the store's word; the address is where its holder is reached."""

    holder: str
    epoch: Epoch
    address: str
    is_valid: bool


class LeaseStore(Protocol):
    """Where leases are kept; one clock, the store's, decides when a lease has ended.

    Any method may raise `PacelineError` with outcome unknown or not done when it cannot be reached.
    """

    async def take(self, name: str, holder: str, address: str, lease_s: float) -> Epoch | None:
        """Take a lease that is free, ended or the holder's own; None while another holds it.

        The epoch is above all earlier ones: max(last + 1, seconds since 1970 by the store's clock).
        """
        ...

    async def renew(self, name: str, holder: str, epoch: Epoch, lease_s: float) -> bool:
        """Prolong a lease; False when holder and epoch are no longer the last that took it."""
        ...

    async def release(self, name: str, holder: str, epoch: Epoch) -> None:
        """Free the lease at once, if it is still held under this epoch; the epoch is kept."""
        ...

    async def read(self, name: str) -> LeaseRecord | None:
        """Who holds it, or held it last; None when nobody ever did."""
        ...


class Lease:
    """One process's wish for one lease.

    Parameters
    ----------
    holder
        Unique for this run of the process, not only for its name: a restart is another holder.
    on_lost
        Called once with a sentence for people when the store refuses a renewal: another process
        may have begun. Silence of the store only ends trust; renewal goes on and may restore it.
    """

    def __init__(
        self,
        store: LeaseStore,
        name: str,
        *,
        holder: str,
        times: Times,
        address: str = "",
        on_lost: Callable[[str], None],
        lease_s: float = LEASE_S,
        renew_s: float = RENEW_S,
        trust_s: float = TRUST_S,
    ) -> None:
        if not renew_s < trust_s < lease_s:
            raise ValueError(f"lease {name}: {renew_s} < {trust_s} < {lease_s} must hold")
        self.name = name
        self._store = store
        self._holder = holder
        self._machine = times.machine
        self._address = address
        self._on_lost = on_lost
        self._lease_s = lease_s
        self._renew_s = renew_s
        self._trust_s = trust_s
        self._epoch: Epoch | None = None
        self._trusted_until = 0.0

    @property
    def epoch(self) -> Epoch:
        """Fencing number of this leadership; only while the lease is held, trusted or not."""
        if self._epoch is None:
            raise PacelineError("stale_epoch", f"lease {self.name} is not held by this process")
        return self._epoch

    def is_held(self) -> bool:
        """Whether the lease was taken and neither released nor refused since."""
        return self._epoch is not None

    def is_trusted(self) -> bool:
        """Whether this process may act as the holder right now."""
        return self._epoch is not None and self._machine.monotonic() < self._trusted_until

    async def acquire(self) -> bool:
        """Try once to take the lease; it counts from before the question was sent."""
        asked_at = self._machine.monotonic()
        self._epoch = await self._store.take(self.name, self._holder, self._address, self._lease_s)
        self._trusted_until = asked_at + self._trust_s
        return self.is_trusted()

    async def wait(self) -> Epoch:
        """Wait until the lease is this process's; goes on while the store is away."""
        while True:
            try:
                if await self._may_be_had() and await self.acquire():
                    return self.epoch
            except PacelineError as error:
                _log.warning("the lease store is away", lease=self.name, why=error.message)
            await self._machine.sleep(POLL_S)

    async def _may_be_had(self) -> bool:
        """Whether trying is worth it: a try writes to the store, also one in vain."""
        record = await self._store.read(self.name)
        return record is None or not record.is_valid or record.holder == self._holder

    async def keep(self) -> None:
        """Renew until refused or released; belongs in the server's task group after `wait`."""
        while self._epoch is not None:
            await self._machine.sleep(self._renew_s)
            await self._renew()

    async def release(self) -> None:
        """Hand over at once: after the last write, so that the next holder starts on all of it.

        Twice is fine. When the store is away the lease ends by itself.
        """
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        try:
            await self._store.release(self.name, self._holder, epoch)
        except PacelineError as error:
            _log.warning("the lease ends by itself", lease=self.name, why=error.message)

    async def _renew(self) -> None:
        epoch = self._epoch
        if epoch is None:
            return
        asked_at = self._machine.monotonic()
        try:
            async with timeout(self._trust_s):  # a later answer would renew nothing
                is_ours = await self._store.renew(self.name, self._holder, epoch, self._lease_s)
        except (PacelineError, TimeoutError) as error:
            _log.warning("lease not renewed", lease=self.name, why=str(error) or "no answer")
            return
        if self._epoch != epoch:
            return  # released meanwhile
        if is_ours:
            self._trusted_until = asked_at + self._trust_s
        else:
            self._epoch = None
            self._on_lost(f"lease {self.name} was taken by another process; epoch {epoch} is over")

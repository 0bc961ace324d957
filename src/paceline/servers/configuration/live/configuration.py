"""The configuration in memory, and the one place that changes it: one transaction at a time.

Called by requests and by the server. Reads are answered from memory; a change is planned, written
to the database and only then taken over and told. Two servers on one database: the second writer
of a sequence number is refused and loads what the first wrote.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from paceline.errors.failure import PacelineError
from paceline.model.options import SecretSource
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.secret import Secret, new_secret, resolve_secret
from paceline.runtime.times import Times
from paceline.servers.configuration.metrics import ConfigurationMetrics
from paceline.servers.configuration.rules.plan import Plan, Planned, Planner
from paceline.servers.configuration.rules.secret_fields import SecretNames
from paceline.servers.configuration.rules.site import Site
from paceline.servers.configuration.store.objects import Entry, ObjectStore
from paceline.units.quantities import DEFAULT_TENANT, Millis

T = TypeVar("T")
Listener = Callable[[ConfigurationSnapshot, ConfigurationSnapshot], None]

FULL_COST = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with the least that OWASP's Password Storage Cheat Sheet allows: 30 ms here, because a
check holds up the whole process."""


class LiveConfiguration:
    """All objects, the history's end and the credentials' hashes."""

    def __init__(
        self,
        store: ObjectStore,
        times: Times,
        metrics: ConfigurationMetrics,
        secrets: SecretNames,
        hasher: PasswordHasher = FULL_COST,
    ) -> None:
        self.site = Site(ConfigurationSnapshot(()))
        self.secrets = secrets
        self.committed = asyncio.Event()
        self._store = store
        self._times = times
        self._metrics = metrics
        self._hasher = hasher
        self._nobodys = ""
        self._last_id = 0
        self._hashes: dict[int, str] = {}
        self._turn = asyncio.Lock()
        self._must_load = True
        self._listeners: list[Listener] = []

    @property
    def seq(self) -> int:
        """Number of the last committed transaction."""
        return self.site.snapshot.seq

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration as committed."""
        return self.site.snapshot

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each commit."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Reads everything from the database."""
        async with self._turn:
            await self._load()

    # --- changes --------------------------------------------------------------------------------

    async def change(
        self,
        principal: str,
        work: Callable[[Planner], T],
        *,
        dry_run: bool = False,
        expected_seq: int | None = None,
    ) -> tuple[T, Plan]:
        """Plans, writes and takes over one transaction; a plan without changes writes nothing.

        After return it is in the database. After an error nothing has changed, except with
        `outcome_unknown`: the next change then reads the database first.

        Raises
        ------
        PacelineError
            What `work` refuses; `stale_sequence`; what the database says.
        """
        async with self._turn:
            await self._be_current()
            if expected_seq is not None and expected_seq != self.seq:
                raise PacelineError(
                    "stale_sequence",
                    f"the configuration is at change {self.seq}, not {expected_seq}; read it again",
                    field="expected_seq",
                )
            planner = Planner(
                self.site, self._last_id, secrets=self.secrets, is_current=self._is_current
            )
            result = work(planner)
            plan = planner.finish()
            if plan.items and not dry_run:
                await self._commit(principal, plan)
            return result, plan

    async def revoke(self, principal: str, token_id: str, *, now: Millis, until: Millis) -> None:
        """Writes a revocation; servers learn of it from the changes."""
        async with self._turn:
            await self._be_current()
            entry = Entry(self.seq + 1, self._times.business.now(), principal, self._last_id)
            writing = self._store.revoke(entry, DEFAULT_TENANT, token_id, now=now, until=until)
            await self._write(writing)
            self._take(Site(self.snapshot.with_changes((), (), seq=entry.seq)))

    # --- credentials ----------------------------------------------------------------------------

    def is_credential(self, object_id: int | None, given: Secret) -> bool:
        """Whether it is the password or secret of an object; without one it takes as long."""
        known = self._hashes.get(object_id) if object_id is not None else None
        return self._verified(known or self._hash_of_nobody(), given) and known is not None

    def _is_current(self, object_id: int, source: SecretSource) -> bool:
        return object_id in self._hashes and self.is_credential(object_id, _resolved(source))

    # --- inside ---------------------------------------------------------------------------------

    async def _be_current(self) -> None:
        if self._must_load:
            await self._load()

    async def _load(self) -> None:
        loaded = await self._store.load()
        self._hashes = loaded.hashes
        self._last_id = loaded.last_id
        self._must_load = False
        self._take(Site(ConfigurationSnapshot(loaded.objects, seq=loaded.seq)))

    async def _commit(self, principal: str, plan: Plan) -> None:
        hashes = dict(self._new_hashes(plan.items))
        seq = plan.site.snapshot.seq
        entry = Entry(seq, self._times.business.now(), principal, plan.last_id)
        await self._write(self._store.write(entry, plan.items, hashes))
        for item in plan.items:
            if item.after is None and item.before is not None:
                self._hashes.pop(item.before.id, None)
        self._hashes.update(hashes)
        self._last_id = plan.last_id
        self._take(plan.site)

    async def _write(self, writing: Coroutine[object, object, None]) -> None:
        self._must_load = True
        try:
            await writing
        except PacelineError as failure:
            # Only then is it certain that the database is as it was before.
            self._must_load = failure.outcome == "unknown" or failure.name == "stale_sequence"
            raise
        self._must_load = False

    def _take(self, site: Site) -> None:
        old, self.site = self.site.snapshot, site
        self._metrics.objects.set(len(site.snapshot.objects))
        self._metrics.transactions.inc(max(0, site.snapshot.seq - old.seq))
        self.committed.set()
        self.committed = asyncio.Event()
        for listener in self._listeners:
            listener(old, site.snapshot)

    def _new_hashes(self, items: Iterable[Planned]) -> Iterable[tuple[int, str]]:
        for item in items:
            if item.after is not None and item.credential is not None:
                yield item.after.id, self._hasher.hash(_resolved(item.credential).reveal())

    def _hash_of_nobody(self) -> str:
        """A hash that no password has: checking an unknown name takes as long as a known one."""
        if not self._nobodys:
            self._nobodys = self._hasher.hash(new_secret().reveal())
        return self._nobodys

    def _verified(self, known: str, given: Secret) -> bool:
        try:
            return self._hasher.verify(known, given.reveal())
        except (VerificationError, InvalidHashError):
            return False


def _resolved(source: SecretSource) -> Secret:
    return resolve_secret(source, field="password")

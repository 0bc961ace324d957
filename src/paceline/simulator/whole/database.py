"""Databases of the simulated world: one store per access point that outlives processes, and its faults.

Each process opens the port of its own (`FaultyDatabase`). A transaction happens at one instant, so
that a paused or killed process never holds a lock: what came before it waits before, what must be
lost is lost after. What this leaves out are waits for locks; conformance tests have those.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance, Stream
from paceline.runtime.times import Times
from paceline.simulator.whole.process import SimulatedProcess
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database, DatabaseError, Engine, Row, Transaction
from paceline.storage.postgres import ANSWER_TIMEOUT_S
from paceline.storage.sqlite import SqliteDatabase

T = TypeVar("T")

BASE_DELAY_S, MEAN_JITTER_S = 0.0002, 0.0004
"""A statement's or a commit's way to the database and back on a good network (chosen)."""
RETRANSMIT_S = 0.5
"""How soon a statement on a cut way sets out again (chosen: TCP doubles from 0.2 s)."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How badly a store behaves now; all shares are of statements and transactions.

    `killed_share` and `lost_share` are of changes: the process dies, or the connection breaks,
    before or after the commit, even odds.
    """

    extra_delay_s: float = 0.0
    away_share: float = 0.0
    killed_share: float = 0.0
    lost_share: float = 0.0
    is_disk_full: bool = False

    def __str__(self) -> str:
        bad = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return " ".join(f"{name} {value}" for name, value in bad.items()) or "well"


class Store:
    """One database of the world; places in `cut_from` do not reach it."""

    def __init__(self, name: str, chance: Chance) -> None:
        self.name = name
        self.weather = Weather()
        self.cut_from: set[str] = set()
        self.chance = chance.stream(f"database {name}")
        self.content = SqliteDatabase(AccessPoint("sqlite", ""), inline=True)

    def draw_delay_s(self) -> float:
        """How long a statement or a commit takes now."""
        return BASE_DELAY_S + self.chance.exponential(MEAN_JITTER_S + self.weather.extra_delay_s)


class Stores:
    """All databases, made when first opened."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._stores: dict[str, Store] = {}

    def store(self, name: str) -> Store:
        """The store behind an access point's database name."""
        if name not in self._stores:
            self._stores[name] = Store(name, self._chance)
        return self._stores[name]

    @property
    def all(self) -> list[Store]:
        """Every store in the order of their making."""
        return list(self._stores.values())


class _Lost(Exception):
    """Rolls back what the broken connection never committed."""


class FaultyDatabase:
    """A process's way to a store; the port's promises are kept, also by its errors."""

    engine: Engine = "sqlite"

    def __init__(self, store: Store, process: SimulatedProcess) -> None:
        self._store = store
        self._process = process
        self._machine = process.times.machine
        self._writing = asyncio.Lock()
        self._is_closed = False

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """See the port."""
        content = self._store.content
        if sql.lstrip()[:6].upper() == "SELECT":
            await self._arrive(is_change=False)
            return _at_once(content.fetch(sql, *args))
        return await self._change(lambda: content.fetch(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        """See the port."""
        return await self._change(lambda: self._store.content.execute(sql, *args))

    async def fetch_keys(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        keys: Iterable[Sequence[object]],
    ) -> list[Row]:
        """See the port."""
        await self._arrive(is_change=False)
        return _at_once(self._store.content.fetch_keys(table, columns, key_columns, keys))

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """See the port."""
        content = self._store.content

        async def lose(transaction: Transaction) -> None:
            await work(transaction)
            raise _Lost

        async with self._writing:
            return await self._change(
                lambda: content.transaction(work), lambda: content.transaction(lose)
            )

    async def change_schema(self, sql: str, *, lock_timeout_s: float | None = None) -> None:
        """See the port."""
        await self.execute(sql)

    async def schema_transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """See the port."""
        return await self.transaction(work)

    async def close(self) -> None:
        """See the port; the store itself stays."""
        self._is_closed = True

    async def _change(
        self,
        act: Callable[[], Coroutine[Any, Any, T]],
        act_in_vain: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> T:
        """A change that may be lost before or after its commit; `act_in_vain` does not commit."""
        await self._arrive(is_change=True)
        weather, chance = self._store.weather, self._store.chance
        if _is_drawn(chance, weather.killed_share):
            if _is_drawn(chance, 0.5):
                with suppress(PacelineError, DatabaseError):
                    _at_once(act())
            await self._process.die()
        if _is_drawn(chance, weather.lost_share):
            if _is_drawn(chance, 0.5):
                _at_once(act())
            elif act_in_vain is not None:
                with suppress(_Lost):
                    _at_once(act_in_vain())
            await self._machine.sleep(self._store.draw_delay_s())
            raise PacelineError(
                "outcome_unknown", f"the connection to {self._store.name} broke", retry_after_s=1.0
            )
        answer = _at_once(act())
        await self._machine.sleep(self._store.draw_delay_s())
        return answer

    async def _arrive(self, *, is_change: bool) -> None:
        if self._is_closed:
            raise PacelineError("database_unavailable", f"{self._store.name} is closed")
        await self._machine.sleep(self._store.draw_delay_s())
        await self._wait_for_way()
        weather = self._store.weather
        if _is_drawn(self._store.chance, weather.away_share):
            what = f"{self._store.name} cannot be reached"
            raise PacelineError("database_unavailable", what, retry_after_s=1.0)
        if is_change and weather.is_disk_full:
            what = f"{self._store.name} refused the work: no space left on device"
            raise PacelineError("database_unavailable", what, retry_after_s=1.0)

    async def _wait_for_way(self) -> None:
        """What is sent while cut off arrives after the cut, unless its sender gives up before."""
        give_up_at = self._machine.monotonic() + ANSWER_TIMEOUT_S
        while self._process.name in self._store.cut_from:
            if self._machine.monotonic() > give_up_at:
                what = f"{self._store.name} does not answer"
                raise PacelineError("database_unavailable", what, retry_after_s=1.0)
            await self._machine.sleep(RETRANSMIT_S)


def opener(stores: Stores, process: SimulatedProcess) -> Callable[..., Database]:
    """Opens databases for a process; see `assembly.surroundings.OpenDatabase`."""

    def open_database(point: AccessPoint, /, *, times: Times, pool_size: int) -> Database:
        return FaultyDatabase(stores.store(point.database), process)

    return open_database


def _is_drawn(chance: Stream, share: float) -> bool:
    return share > 0 and chance.random() < share


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, as everything on an inline database does."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    work.close()
    raise RuntimeError("the work of a transaction waited for something else than its database")

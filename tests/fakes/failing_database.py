"""A database that refuses what a test says, as one that cannot be reached does."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from paceline.errors.failure import PacelineError
from paceline.storage.access_point import from_url
from paceline.storage.database import Transaction
from paceline.storage.sqlite import SqliteDatabase

T = TypeVar("T")


class FailingDatabase(SqliteDatabase):
    """SQLite in memory; `refusals` counts the next changes that fail just before their commit."""

    def __init__(self) -> None:
        super().__init__(from_url("sqlite://"), inline=True)
        self.refusals = 0

    async def execute(self, sql: str, *args: object) -> int:
        self._refuse()
        return await super().execute(sql, *args)

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async def refused(transaction: Transaction) -> T:
            answer = await work(transaction)
            self._refuse()
            return answer

        return await super().transaction(refused)

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise PacelineError("database_unavailable", "the test takes it away")

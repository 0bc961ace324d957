"""Runs the embedded PostgreSQL alone, for servers of this machine that are started one by one.

Used by `serve database`. Other machines cannot reach it: it listens on a Unix socket only.
"""

import asyncio

from paceline.assembly.all_in_one import DATABASE
from paceline.assembly.data_folder import DataFolder
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.storage.embedded import EmbeddedPostgres


class DatabaseHost(LifeCycle):
    """The embedded PostgreSQL on a data folder, started again whenever it ends by itself."""

    def __init__(self, folder: DataFolder, times: Times) -> None:
        super().__init__()
        self.url = ""
        self.end_reason = ""
        self.ended = asyncio.Event()
        self._postgres = EmbeddedPostgres(folder.path, times)
        self._tasks = TaskGroup("database", self._end_for_good)

    async def _start(self) -> None:
        await self._postgres.start()
        await self._postgres.create_database(DATABASE)
        self.url = self._postgres.url(DATABASE)
        self._tasks.start("watch", self._postgres.watch())

    async def _stop(self) -> None:
        await self._tasks.aclose()
        await self._postgres.stop()

    def _end_for_good(self, reason: str) -> None:
        self.end_reason = reason
        self.ended.set()

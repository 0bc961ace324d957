"""Saves a checkpoint at intervals and at the end, so that a restart continues every total exactly."""

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.saved import gather, put_back, restore
from paceline.servers.stat.metrics import StatMetrics
from paceline.servers.stat.store.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from paceline.storage.database import Database

_log = get_log("stat")


class SaveCheckpoints:
    """The checkpoints of one server."""

    def __init__(
        self,
        *,
        centre: Centre,
        database: Database,
        settings: LiveSettings,
        times: Times,
        metrics: StatMetrics,
    ) -> None:
        self._centre = centre
        self._database = database
        self._settings = settings
        self._times = times
        self._metrics = metrics
        self._is_loaded = False
        self._saved: Checkpoint | None = None
        self._is_failing = False

    async def load(self) -> None:
        """Fill the empty centre with the last checkpoint."""
        restore(self._centre, await read_checkpoint(self._database), self._times.business.now())
        self._is_loaded = True

    async def run(self) -> None:
        """Save again and again."""
        while True:
            interval = self._settings.current.seconds("statistics", "checkpoint-interval")
            await self._times.machine.sleep(interval)
            await self.save()

    async def save(self) -> None:
        """Save what changed; when the database is away the next call does it."""
        if not self._is_loaded:
            return  # what is stored must not be replaced by what was never read
        began = self._times.machine.monotonic()
        checkpoint = gather(self._centre)
        if checkpoint.says_no_more_than(self._saved):
            return
        is_saved = False
        try:
            await write_checkpoint(self._database, checkpoint)
            is_saved, self._saved = True, checkpoint
        except PacelineError as error:
            if not self._is_failing:
                _log.warning("checkpoint not saved, tried again later", problem=str(error))
        finally:
            if not is_saved:
                put_back(self._centre, checkpoint)
        self._is_failing = not is_saved
        self._metrics.checkpoint.observe(self._times.machine.monotonic() - began)

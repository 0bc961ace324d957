"""The Message Server: opened by assembly with its database and the configuration.

It answers the operations of `wire/operations/message.py`. Runs no migrations.
"""

from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.message.live.writer import MessageWriter
from paceline.servers.message.metrics import MessageMetrics
from paceline.servers.message.requests.alarms import AlarmRequests
from paceline.servers.message.requests.messages import MessageRequests
from paceline.servers.message.rules.match import Conditions
from paceline.servers.message.store.messages import MessageStore
from paceline.servers.message.tasks.expiry import expire_alarms
from paceline.servers.message.tasks.retention import forget_old_messages
from paceline.storage.database import Database
from paceline.units.quantities import Millis
from paceline.wire.call import Handlers


class MessageServer(LifeCycle):
    """See the module. A change of alarm conditions acts on the next message."""

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        database: Database,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self.name = name
        self._settings = settings
        self._times = times
        self._configuration = configuration
        self._conditions = Conditions(configuration.snapshot)
        self._store = MessageStore(database)
        self._writer = MessageWriter(
            self._store,
            times.business,
            MessageMetrics(metrics),
            lambda: self._conditions,
            self._kept_until,
        )
        self._tasks = TaskGroup(name, self.set_unavailable)
        self.handlers: Handlers = {
            **MessageRequests(self._writer, self._store).handlers,
            **AlarmRequests(self._writer, self._store).handlers,
        }

    def _kept_until(self) -> Millis:
        life_s = self._settings.current.seconds("requests", "idempotency-key-retention")
        return Millis(self._times.machine.now() + int(life_s * 1000))

    def findings(self) -> tuple[Finding, ...]:
        """Mistakes in this server's own options."""
        return self._settings.findings

    async def _start(self) -> None:
        await self._writer.load()
        self._configuration.watch(self._take_configuration)
        self._take_configuration(self._configuration.snapshot, self._configuration.snapshot)
        self._tasks.start("writer", self._writer.run())
        self._tasks.start("expiry", expire_alarms(self._writer, self._times.business))
        retention = forget_old_messages(self._store, self._settings, self._times)
        self._tasks.start("retention", retention)

    async def _stop(self) -> None:
        await self._tasks.aclose()
        await self._writer.close()

    def _take_configuration(self, _old: ConfigurationSnapshot, new: ConfigurationSnapshot) -> None:
        self._conditions = Conditions(new)

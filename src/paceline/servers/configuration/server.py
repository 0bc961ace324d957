"""The Configuration Server: opened by assembly with its database and the site key.

It answers the operations of `wire/operations/configuration.py`, verifies tokens for its own edge
and is itself a `ConfigurationSource` for whoever lives in the same process. Runs no migrations.
"""

from argon2 import PasswordHasher

from paceline.checks.site import check_configuration
from paceline.model.configuration import ADMINISTRATOR, SHIPPED_ACCESS_GROUPS
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.secret import Secret
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.servers.configuration.live.change_feed import ChangeFeed
from paceline.servers.configuration.live.configuration import (
    FULL_COST,
    Listener,
    LiveConfiguration,
)
from paceline.servers.configuration.live.identities import Identities
from paceline.servers.configuration.live.statuses import Statuses
from paceline.servers.configuration.metrics import ConfigurationMetrics
from paceline.servers.configuration.requests.apply import ApplyRequests
from paceline.servers.configuration.requests.changes import ChangeRequests
from paceline.servers.configuration.requests.expressions import ExpressionRequests
from paceline.servers.configuration.requests.login import LoginRequests
from paceline.servers.configuration.requests.objects import ObjectRequests
from paceline.servers.configuration.requests.status import StatusRequests
from paceline.servers.configuration.rules.plan import Planner
from paceline.servers.configuration.rules.secret_fields import SecretNames
from paceline.servers.configuration.store.cipher import Cipher
from paceline.servers.configuration.store.keys import KeyStore
from paceline.servers.configuration.store.objects import ObjectStore
from paceline.servers.configuration.store.statuses import StatusStore
from paceline.storage.database import Database
from paceline.wire.call import Handlers, Principal

FIRST_TENANT = "Environment"
"""Name of tenant 1 in a new site, as the field calls the tenant of the site itself."""

BOOTSTRAP = "bootstrap"
"""Who the history names for the first transaction."""


class ConfigurationServer(LifeCycle):
    """See the module.

    Parameters
    ----------
    site_key
        At least 32 random bytes under which secrets and the signing key are encrypted at rest.
    secret_options
        Section and key of every option that some server's table marks as secret; keys named
        password, secret or passphrase are secret without it.
    hasher
        Hashes passwords at its cost; only a simulation takes a cheaper one.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        database: Database,
        site_key: bytes,
        metrics: Metrics,
        secret_options: SecretNames = frozenset(),
        hasher: PasswordHasher = FULL_COST,
    ) -> None:
        super().__init__()
        self.name = name
        self._settings = settings
        figures = ConfigurationMetrics(metrics)
        cipher = Cipher(site_key)
        store = ObjectStore(database, cipher, secret_options)
        self._live = LiveConfiguration(store, times, figures, secret_options, hasher)
        self._tasks = TaskGroup(name, self.set_unavailable)
        feed = ChangeFeed(self._live, store, self._tasks, times)
        self._identities = Identities(
            self._live,
            KeyStore(database, cipher),
            store,
            times.machine,
            figures,
            delays=self._delays,
        )
        self._statuses = Statuses(StatusStore(database), times.machine)
        self.handlers: Handlers = {
            **ObjectRequests(self._live).handlers,
            **ApplyRequests(self._live).handlers,
            **ChangeRequests(self._live, feed).handlers,
            **ExpressionRequests(self._live).handlers,
            **LoginRequests(self._identities).handlers,
            **StatusRequests(self._live, self._statuses).handlers,
        }

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration as committed, with its secrets."""
        return self._live.snapshot

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each commit."""
        self._live.watch(listener)

    def verify(self, token: str) -> Principal:
        """The principal of a token, for this server's own surface.

        Raises
        ------
        PacelineError
            `unauthenticated`.
        """
        return self._identities.verify(token)

    def findings(self) -> tuple[Finding, ...]:
        """Every mistake that the configuration alone shows, and this server's own options."""
        return (*self._settings.findings, *check_configuration(self._live.snapshot))

    async def bootstrap(self, admin_user: str, admin_password: Secret) -> bool:
        """Fills an empty store: tenant 1, the shipped access groups, the first administrator.

        Returns whether it was empty; otherwise nothing is changed.
        """
        admin = {"access_groups": [ADMINISTRATOR], "password": admin_password.reveal()}

        def work(planner: Planner) -> bool:
            if self._live.snapshot.objects:
                return False
            tenant = planner.create("tenants", 1, FIRST_TENANT, {})
            for group in SHIPPED_ACCESS_GROUPS:
                planner.create("access-groups", tenant, group, {})
            planner.create("persons", tenant, admin_user, admin)
            return True

        was_empty, _ = await self._live.change(BOOTSTRAP, work)
        return was_empty

    async def _start(self) -> None:
        await self._live.load()
        await self._identities.start()
        await self._statuses.load()

    async def _stop(self) -> None:
        await self._tasks.aclose()

    def _delays(self) -> tuple[float, float]:
        values = self._settings.current
        return (
            values.seconds("auth", "failure-delay"),
            values.seconds("auth", "longest-failure-delay"),
        )

"""A machine of clients outside the site: it never dies, its way to the site is as faulty as any.

Made by site.py. Connects as the first administrator the way a real client does: logs in, asks the
directory, opens a session, all over the simulated network.
"""

from collections.abc import Awaitable, Sequence

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.secret import Secret
from paceline.sdk import ConfigurationServerClient, Connection
from paceline.sdk.connection import OpenLink
from paceline.sdk.directory import Directory
from paceline.sdk.login import password_token
from paceline.simulator.whole.network import SimulatedNetwork
from paceline.simulator.whole.process import SimulatedProcess
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind


class ClientMachine:
    """See the module; its connections share one login and one directory."""

    def __init__(
        self,
        process: SimulatedProcess,
        network: SimulatedNetwork,
        *,
        configuration_url: str,
        user: str,
        password: Secret,
        chance: Chance,
    ) -> None:
        self._process = process
        self._network = network
        self._chance = chance
        self._connections: list[Connection] = []

        def open_link() -> Awaitable[Link]:
            return network.open_link(process, configuration_url)

        self._token = password_token(open_link, times=process.times, user=user, password=password)
        self.configuration = ConfigurationServerClient(self._connected(open_link, "operator"))
        self._directory = Directory(self.configuration, process.times, self._open)

    def connect(self, applications: Sequence[str], client_kind: ClientKind) -> Connection:
        """A lasting connection to whichever of these applications answers first, in this order."""

        async def open_link() -> Link:
            failure: PacelineError | None = None
            for application in applications:
                try:
                    return await self._open(await self._directory.url_of(application))
                except PacelineError as error:
                    failure = error
            raise failure or ValueError("no application to connect to")

        return self._connected(open_link, client_kind)

    async def close(self) -> None:
        """Close all connections."""
        for connection in reversed(self._connections):
            await connection.close()

    def _connected(self, open_link: OpenLink, client_kind: ClientKind) -> Connection:
        connection = Connection(
            open_link,
            times=self._process.times,
            client=self._process.name,
            client_kind=client_kind,
            token=self._token,
            chance=self._chance,
        )
        connection.start()
        self._connections.append(connection)
        return connection

    def _open(self, url: str) -> Awaitable[Link]:
        return self._network.open_link(self._process, url)

"""A server's link to the Configuration Server: login, configuration, keys of tokens, addresses.

One per hosted server. Goes on with what it last heard while the Configuration Server is away;
never shares a token with another server.
"""

from collections.abc import Awaitable, Callable

from paceline.assembly.surroundings import REAL_SURROUNDINGS, Surroundings
from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationFollower, ConfigurationServerClient, Connection
from paceline.sdk.connection import OpenLink
from paceline.sdk.directory import Directory
from paceline.sdk.login import TokenKeeper, application_token, password_token
from paceline.wire.call import Principal
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind
from paceline.wire.token import TokenVerifier

START_PATIENCE_S = 30.0
"""A server that starts together with its site waits so long for the Configuration Server (chosen)."""

Verify = Callable[[str], Principal]


class Credentials:
    """Who a server logs in as: its application with its secret, or a person with a password."""

    __slots__ = ("secret", "user")

    def __init__(self, secret: Secret, user: str | None = None) -> None:
        self.secret = secret
        self.user = user

    def token(self, open_link: OpenLink, *, times: Times, application: str) -> TokenKeeper:
        """A keeper of tokens for them."""
        if self.user is None:
            return application_token(
                open_link, times=times, application=application, secret=self.secret
            )
        return password_token(open_link, times=times, user=self.user, password=self.secret)


class SiteLink:
    """What one server knows of its site."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        name: str,
        times: Times,
        surroundings: Surroundings = REAL_SURROUNDINGS,
    ) -> None:
        def open_link() -> Awaitable[Link]:
            return surroundings.open_link(url)

        self._url = url
        self._name = name
        self._times = times
        self.token = credentials.token(open_link, times=times, application=name)
        self._connection = Connection(
            open_link, times=times, client=name, client_kind="operator", token=self.token
        )
        self.client = ConfigurationServerClient(self._connection)
        self.configuration = ConfigurationFollower(self.client)
        self.directory = Directory(self.client, times, surroundings.open_link)
        self._verifier = TokenVerifier(
            times.machine, issuer_is_away=lambda: not self._connection.is_connected
        )
        self._keys: tuple[dict[str, str], ...] = ()
        self._connections: dict[str, Connection] = {}

    @property
    def verify(self) -> Verify:
        """Gives the principal of a token of this site."""
        return self._verifier.verify

    async def open(self) -> None:
        """Log in and load the configuration and the keys.

        Raises
        ------
        PacelineError
            `start_refused` with the reason when the site cannot be reached or refuses.
        """
        try:
            self._connection.start()
            if not await self._is_answered():
                raise PacelineError(
                    "start_refused",
                    f"nobody answers at {self._url} as the Configuration Server "
                    f"({self._connection.last_problem}); start it or correct --host and --port",
                    field="host",
                )
            await self.configuration.start()
            await self.refresh_keys()
        except BaseException:
            await self.close()
            raise

    async def refresh_keys(self) -> None:
        """Ask for the keys of tokens, and for what was revoked meanwhile."""
        answer = await self.client.token.keys()
        if answer.keys != self._keys:  # setting them forgets what was verified
            self._verifier.set_keys(answer.keys)
            self._keys = answer.keys
        for token_id in answer.revoked:
            self._verifier.revoke(token_id)

    def connect(
        self, application: str, client_kind: ClientKind, port_id: str = "default"
    ) -> Connection:
        """A lasting connection to another server, opened now, closed with this link."""
        connection = Connection(
            self.directory.link_to(application, port_id),
            times=self._times,
            client=self._name,
            client_kind=client_kind,
            token=self.token,
        )
        connection.start()
        self._connections[application] = connection
        return connection

    async def wait_connected(self) -> None:
        """Return when all connections are open.

        Raises
        ------
        PacelineError
            `start_refused` naming the server that does not answer in time.
        """
        for application, connection in self._connections.items():
            try:
                await connection.wait_connected()
            except PacelineError as silent:
                raise PacelineError(
                    "start_refused",
                    f"'{self._name}' cannot reach '{application}': {silent.message}",
                    field="connections",
                ) from None

    async def close(self) -> None:
        """Close all connections; twice is fine."""
        for connection in (*self._connections.values(), self._connection):
            await connection.close()
        self._connections.clear()

    async def _is_answered(self) -> bool:
        """Log in once by itself: a wrong password is then told at once and not waited for."""
        give_up_at = self._times.machine.monotonic() + START_PATIENCE_S
        while True:
            try:
                await self.token()
                await self._connection.wait_connected()
                return True
            except PacelineError as refused:
                if refused.name == "unauthenticated":
                    raise PacelineError(
                        "start_refused",
                        f"the Configuration Server refuses '{self._name}': {refused.message}; "
                        "give the right --user and --password-file",
                        field="password_file",
                    ) from None
                if self._times.machine.monotonic() > give_up_at:
                    return False

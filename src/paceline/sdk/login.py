"""Tokens for connections: logs in by password or application secret, and again before they expire.

Given to `Connection` as its token. One keeper may serve many connections; it never stores a token
anywhere but in memory.
"""

import asyncio
from collections.abc import Awaitable, Callable

from paceline.runtime.secret import Secret
from paceline.runtime.times import Times
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.connection import DEFAULT_TIMEOUT_S, Connection, OpenLink, no_token
from paceline.wire.operations.configuration import Token

RENEW_SHARE = 0.5
"""A token is replaced when less than this share of its life is left (chosen)."""

LogIn = Callable[[ConfigurationServerClient], Awaitable[Token]]


class TokenKeeper:
    """Gives a token with life left in it.

    Parameters
    ----------
    open_link
        Opens a link to the Configuration Server.
    """

    def __init__(self, open_link: OpenLink, log_in: LogIn, *, times: Times, client: str) -> None:
        self._open_link = open_link
        self._log_in = log_in
        self._times = times
        self._client = client
        self._turn = asyncio.Lock()
        self._token = ""
        self._replace_at = 0.0

    async def __call__(self, patience_s: float = DEFAULT_TIMEOUT_S) -> str:
        """A valid token; waits so long for the Configuration Server when it needs a new one.

        Raises
        ------
        PacelineError
            `unauthenticated` when name or secret are wrong; `owner_unavailable` when the
            Configuration Server cannot be reached and there is no token yet.
        """
        async with self._turn:
            if not self._token or self._times.machine.monotonic() >= self._replace_at:
                await self._replace(patience_s)
            return self._token

    async def _replace(self, patience_s: float) -> None:
        asked_at = self._times.machine.monotonic()
        connection = Connection(
            self._open_link,
            times=self._times,
            client=self._client,
            client_kind="operator",
            token=no_token,
        )
        connection.start()
        try:
            await connection.wait_connected(patience_s)
            given = await self._log_in(ConfigurationServerClient(connection))
        finally:
            await connection.close()
        self._token = given.token
        self._replace_at = asked_at + given.expires_in_s * (1.0 - RENEW_SHARE)


def password_token(
    open_link: OpenLink, *, times: Times, user: str, password: Secret
) -> TokenKeeper:
    """Tokens of a person."""

    def log_in(client: ConfigurationServerClient) -> Awaitable[Token]:
        return client.session.login(user=user, password=password.reveal())

    return TokenKeeper(open_link, log_in, times=times, client=user)


def application_token(
    open_link: OpenLink, *, times: Times, application: str, secret: Secret
) -> TokenKeeper:
    """Tokens of an application."""

    def log_in(client: ConfigurationServerClient) -> Awaitable[Token]:
        return client.token.issue(
            grant_type="client_credentials", client_id=application, client_secret=secret.reveal()
        )

    return TokenKeeper(open_link, log_in, times=times, client=application)

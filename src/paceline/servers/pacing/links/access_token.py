"""Access tokens of the engagement engine: OAuth 2.0 client credentials (RFC 6749 §4.4).

Called by links/engagement. One renewal at a time, before expiry or after a 401. Written on httpx
and not on Authlib's client, which judges expiry by the wall clock that a virtual loop cannot see.
"""

import asyncio

import httpx
import msgspec

from paceline.runtime.secret import resolve_secret
from paceline.runtime.times import MachineTime
from paceline.servers.pacing.rules.integration import Integration

EARLY_SHARE, EARLY_S = 0.1, 60.0
"""A token is renewed this early: a tenth of its life, at most a minute (chosen)."""

DEFAULT_LIFE_S = 300.0
"""Where the answer has no `expires_in`, which RFC 6749 §5.1 only recommends (chosen)."""


class TokenRefused(Exception):
    """The engine gave no token; the message says what to look at."""


class _Answer(msgspec.Struct):
    access_token: str
    token_type: str = "Bearer"
    expires_in: float | None = None


_decoder = msgspec.json.Decoder(_Answer, strict=False)


class AccessTokens:
    """The token of one credential; another address, id or password begins with a new one."""

    def __init__(self, client: httpx.AsyncClient, machine: MachineTime) -> None:
        self._client = client
        self._machine = machine
        self._turn = asyncio.Lock()
        self._of: Integration | None = None
        self._token: str | None = None
        self._renew_at = 0.0

    async def current(self, integration: Integration) -> str:
        """A token that is good for now.

        Raises
        ------
        TokenRefused
            Wrong credential, or an answer that is no token.
        httpx.HTTPError
            The token endpoint cannot be reached.
        """
        async with self._turn:
            is_same = self._of is not None and _credential(self._of) == _credential(integration)
            if self._token is None or not is_same or self._machine.monotonic() >= self._renew_at:
                self._token = await self._fetch(integration)
                self._of = integration
            return self._token

    def discard(self, token: str) -> None:
        """The engine refused this token; the next one is fetched, unless that happened already."""
        if self._token == token:
            self._token = None

    async def _fetch(self, integration: Integration) -> str:
        password = resolve_secret(integration.password, field="ewt.password")
        asked_at = self._machine.monotonic()
        response = await self._client.post(
            integration.auth_url,
            data={"grant_type": "client_credentials"},
            auth=(integration.client_id, password.reveal()),
        )
        if response.status_code in (400, 401, 403):
            raise TokenRefused(
                f"{integration.auth_url} refused client '{integration.client_id}' with "
                f"{response.status_code}; check ewt/client_id and ewt/password of hybrid_integration"
            )
        try:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            answer = _decoder.decode(response.content)
        except ValueError as error:
            raise TokenRefused(f"{integration.auth_url} gave no token: {error}") from None
        life_s = DEFAULT_LIFE_S if answer.expires_in is None else answer.expires_in
        self._renew_at = asked_at + life_s - min(EARLY_S, EARLY_SHARE * life_s)
        return answer.access_token


def _credential(integration: Integration) -> tuple[object, ...]:
    return integration.auth_url, integration.client_id, integration.password

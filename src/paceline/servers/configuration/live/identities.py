"""Logins and tokens: who may have one, how long wrong passwords wait, which tokens are revoked.

Called by requests/login.py and by the server, whose own edge verifies tokens here.
"""

import unicodedata
from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject
from paceline.runtime.ids import batch_id
from paceline.runtime.log import get_log
from paceline.runtime.secret import Secret
from paceline.runtime.times import MachineTime
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.servers.configuration.metrics import ConfigurationMetrics
from paceline.servers.configuration.rules.login_delay import LoginDelays
from paceline.servers.configuration.rules.principals import APPLICATION, PERSON, principal_of
from paceline.servers.configuration.store.keys import KeyStore
from paceline.servers.configuration.store.objects import ObjectStore
from paceline.units.quantities import Millis
from paceline.wire.call import Principal
from paceline.wire.operations.configuration import Token
from paceline.wire.token import GRACE_S, LIFE_S, TokenIssuer, TokenVerifier, new_signing_key

_log = get_log("configuration.login")

_TYPES = {PERSON: "persons", APPLICATION: "applications"}


class Identities:
    """Issues and revokes tokens; `start` loads or makes the signing key."""

    def __init__(
        self,
        live: LiveConfiguration,
        keys: KeyStore,
        objects: ObjectStore,
        machine: MachineTime,
        metrics: ConfigurationMetrics,
        *,
        delays: Callable[[], tuple[float, float]],
    ) -> None:
        self._live = live
        self._keys = keys
        self._objects = objects
        self._machine = machine
        self._metrics = metrics
        self._delays_now = delays
        self._delays = LoginDelays(*delays())
        self._verifier = TokenVerifier(machine)
        self._issuer: TokenIssuer | None = None

    async def start(self) -> None:
        """Loads the signing key, making one for a new site, and what is revoked."""
        key = await self._keys.load()
        if key is None:
            key = new_signing_key(batch_id())
            await self._keys.save(key, self._machine.now())
        self._issuer = TokenIssuer(key, self._machine)
        self._verifier.set_keys([self._issuer.public_key])
        for token_id in await self.revoked():
            self._verifier.revoke(token_id)

    @property
    def public_keys(self) -> tuple[dict[str, str], ...]:
        """The JWKS by which every server verifies tokens."""
        return (self._issuer.public_key,) if self._issuer is not None else ()

    async def revoked(self) -> tuple[str, ...]:
        """Ids of revoked tokens that a server might still take."""
        return await self._objects.revoked(self._machine.now())

    def verify(self, token: str) -> Principal:
        """The principal of a token.

        Raises
        ------
        PacelineError
            `unauthenticated`.
        """
        return self._verifier.verify(token)

    def login(self, kind: str, name: str, given: Secret) -> Token:
        """A token for a person or an application that knows its password or secret.

        Raises
        ------
        PacelineError
            `unauthenticated`, the same for an unknown name and a wrong password; `overloaded`
            while the name waits after a wrong password.
        """
        clean = unicodedata.normalize("NFC", name)
        slot = f"{kind} {clean}"
        now = self._machine.monotonic()
        self._delays.first_s, self._delays.longest_s = self._delays_now()
        if (wait_s := self._delays.wait_s(slot, now)) > 0:
            raise PacelineError(
                "overloaded",
                f"'{clean}' gave a wrong password; wait {wait_s:.1f} s before the next try",
                retry_after_s=round(wait_s, 3),
            )
        item = self._find(kind, clean)
        is_right = self._live.is_credential(item.id if item is not None else None, given)
        principal = principal_of(self._live.snapshot, item) if item and is_right else None
        if principal is None:
            self._delays.failed(slot, now)
            self._metrics.refused_logins.inc()
            _log.warning("login refused", kind=kind, name=clean)
            raise PacelineError(
                "unauthenticated", f"there is no enabled {kind} with this name and password"
            )
        self._delays.succeeded(slot)
        return self._issue(principal)

    def renew(self, caller: Principal) -> Token:
        """A new token for who holds a valid one, with the access groups of now.

        Raises
        ------
        PacelineError
            `unauthenticated` when it has none, or is deleted or disabled by now.
        """
        item = self._find(caller.kind, caller.name) if caller.kind in _TYPES else None
        principal = principal_of(self._live.snapshot, item) if item is not None else None
        if principal is None:
            raise PacelineError(
                "unauthenticated", "send a valid token to renew it, or log in by name and password"
            )
        return self._issue(principal)

    async def logout(self, caller: Principal) -> None:
        """Revokes the caller's token everywhere; again is fine.

        A token's end is not in its principal, so that the longest possible one counts.
        """
        now = self._machine.now()
        until = Millis(now + int((LIFE_S + GRACE_S) * 1000))
        if caller.token_id and caller.token_id not in await self.revoked():
            await self._live.revoke(caller.name, caller.token_id, now=now, until=until)
            self._verifier.revoke(caller.token_id)

    def _find(self, kind: str, name: str) -> ConfigurationObject | None:
        found = self._live.site.find((_TYPES[kind], 0, name))
        return found if found is not None and found.type == _TYPES[kind] else None

    def _issue(self, principal: Principal) -> Token:
        if self._issuer is None:
            raise PacelineError("shutting_down", "the server is not started", retry_after_s=1.0)
        return Token(token=self._issuer.issue(principal), expires_in_s=LIFE_S)

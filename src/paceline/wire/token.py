"""Signed tokens: issued by the Configuration Server, verified by every server itself.

Ed25519 (RFC 9864 name of the algorithm), 15 minutes; a verified token is cached until it expires.
"""

from collections.abc import Callable, Iterable
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from paceline.errors.failure import PacelineError
from paceline.runtime.ids import batch_id
from paceline.runtime.times import MachineTime
from paceline.wire.call import Principal

ALGORITHM = "Ed25519"
LIFE_S = 900
"""Life of a token (INTERFACES: tokens)."""

GRACE_S = 12 * 3600.0
"""`auth.grace`: how long past expiry tokens are taken while the issuer is away (INTERFACES: tokens)."""


def new_signing_key(kid: str) -> jwk.OKPKey:
    """A fresh private key."""
    return jwk.OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": ALGORITHM})


class TokenIssuer:
    """Signs tokens with one private key."""

    def __init__(self, key: jwk.OKPKey, machine: MachineTime) -> None:
        self._key = key
        self._machine = machine

    @property
    def public_key(self) -> dict[str, str]:
        """The public half as a JWK."""
        return {
            name: str(value)
            for name, value in self._key.as_dict(private=False).items()
            if name != "key_ops"
        }

    def issue(self, principal: Principal, life_s: int = LIFE_S) -> str:
        """A token for the principal, valid from now for `life_s` seconds."""
        now = self._machine.now() // 1000
        claims = {
            "sub": principal.name,
            "kind": principal.kind,
            "tenants": list(principal.tenants),
            "groups": list(principal.access_groups),
            "iat": now,
            "exp": now + life_s,
            "jti": batch_id(),
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class TokenVerifier:
    """Verifies tokens with the issuer's public keys; keeps verified ones until they expire."""

    CACHE_SIZE = 10_000

    def __init__(
        self, machine: MachineTime, *, issuer_is_away: Callable[[], bool] = lambda: False
    ) -> None:
        self._machine = machine
        self._issuer_is_away = issuer_is_away
        self._keys: dict[str, jwk.OKPKey] = {}
        self._verified: dict[str, tuple[int, Principal]] = {}
        self._revoked: set[str] = set()

    def set_keys(self, keys: Iterable[dict[str, Any]]) -> None:
        """Replaces the public keys; tokens of keys that are gone are verified anew and refused."""
        self._keys = {str(key["kid"]): jwk.OKPKey.import_key(key) for key in keys}
        self._verified.clear()

    def revoke(self, token_id: str) -> None:
        """Refuses the token with this id from now on."""
        self._revoked.add(token_id)

    def verify(self, token: str) -> Principal:
        """The principal of a token.

        Raises
        ------
        PacelineError
            `unauthenticated` when it is missing, forged, revoked or past its expiry (and grace).
        """
        known = self._verified.get(token)
        expires, principal = known if known is not None else self._decode(token)
        grace = GRACE_S if self._issuer_is_away() else 0.0
        if self._machine.now() / 1000 > expires + grace:
            self._verified.pop(token, None)
            raise PacelineError(
                "unauthenticated", "the token has expired; log in again or renew it in time"
            )
        if principal.token_id in self._revoked:
            raise PacelineError("unauthenticated", "the token was revoked; log in again")
        if known is None:
            self._remember(token, expires, principal)
        return principal

    def _decode(self, token: str) -> tuple[int, Principal]:
        try:
            decoded = jwt.decode(token, self._key_of, algorithms=[ALGORITHM])
            claims = decoded.claims
            principal = Principal(
                name=claims["sub"],
                kind=claims["kind"],
                tenants=tuple(claims["tenants"]),
                access_groups=tuple(claims["groups"]),
                token_id=claims["jti"],
            )
            return int(claims["exp"]), principal
        except (JoseError, ValueError, KeyError, TypeError):
            raise PacelineError(
                "unauthenticated", "the token is missing or not valid; log in first"
            ) from None

    def _key_of(self, unverified: Any) -> jwk.OKPKey:
        return self._keys[unverified.headers()["kid"]]

    def _remember(self, token: str, expires: int, principal: Principal) -> None:
        if len(self._verified) >= self.CACHE_SIZE:
            self._verified.clear()
        self._verified[token] = (expires, principal)

"""Tokens: who signed them, how long they live, and what ends them early."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from joserfc import jwk, jwt

from paceline.errors.failure import PacelineError
from paceline.runtime.times import MachineTime
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis
from paceline.wire.call import Principal
from paceline.wire.token import (
    ALGORITHM,
    GRACE_S,
    LIFE_S,
    TokenIssuer,
    TokenVerifier,
    new_signing_key,
)

ADA = Principal(name="ada", kind="person", tenants=(1, 2), access_groups=("operator",))


@dataclass
class Desk:
    """Issuer and verifier on one virtual clock."""

    is_away: bool = False
    machine: MachineTime = field(default_factory=lambda: MachineTime(Millis(1_769_846_400_000)))
    key: jwk.OKPKey = field(default_factory=lambda: new_signing_key("k1"))

    def __post_init__(self) -> None:
        self.issuer = TokenIssuer(self.key, self.machine)
        self.verifier = TokenVerifier(self.machine, issuer_is_away=lambda: self.is_away)
        self.verifier.set_keys([self.issuer.public_key])

    def refuses(self, token: str) -> bool:
        """Whether it is refused as unauthenticated."""
        try:
            self.verifier.verify(token)
        except PacelineError as refused:
            assert refused.name == "unauthenticated"
            return True
        return False


def test_a_token_carries_its_principal() -> None:
    """Name, kind, tenants and access groups; each token has an id of its own."""
    desk = Desk()
    first, second = (desk.verifier.verify(desk.issuer.issue(ADA)) for _ in range(2))
    assert (first.name, first.kind) == ("ada", "person")
    assert (first.tenants, first.access_groups) == ((1, 2), ("operator",))
    assert first.token_id != second.token_id


def test_the_public_key_has_no_secret() -> None:
    """What is published cannot sign."""
    assert set(Desk().issuer.public_key) <= {"kty", "crv", "x", "kid", "use", "alg"}


def other_key(desk: Desk) -> str:
    """Of another issuer's key under the same id."""
    return TokenIssuer(new_signing_key("k1"), desk.machine).issue(ADA)


def unknown_key(desk: Desk) -> str:
    """Signed with a key nobody has published."""
    return TokenIssuer(new_signing_key("k2"), desk.machine).issue(ADA)


def unsigned(desk: Desk) -> str:
    """The algorithm `none`: header and claims of a good token without a signature."""
    token = desk.issuer.issue(ADA)
    return "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ." + token.split(".")[1] + "."


def symmetric(desk: Desk) -> str:
    """Signed with the public key as if it were a shared secret."""
    secret = jwk.OctKey.import_key(desk.issuer.public_key["x"] * 2)
    claims = {"sub": "ada", "kind": "person", "tenants": [], "groups": ["administrator"]}
    return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, secret)


def changed(desk: Desk) -> str:
    """One letter of the claims is another one."""
    head, claims, signature = desk.issuer.issue(ADA).split(".")
    letter = "B" if claims[20] != "B" else "C"
    return f"{head}.{claims[:20]}{letter}{claims[21:]}.{signature}"


def without_claims(desk: Desk) -> str:
    """Well signed, but not one of ours."""
    return jwt.encode(
        {"alg": ALGORITHM, "kid": "k1"}, {"sub": "ada"}, desk.key, algorithms=[ALGORITHM]
    )


@pytest.mark.parametrize(
    "forge", [other_key, unknown_key, unsigned, symmetric, changed, without_claims]
)
def test_forged_tokens_are_refused(forge: Callable[[Desk], str]) -> None:
    """Whatever is not signed with a published key by our algorithm."""
    desk = Desk()
    assert desk.refuses(forge(desk))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "\x00", "e30.e30.", "x" * 9000])
def test_garbage_is_refused(token: str) -> None:
    """By the same error."""
    assert Desk().refuses(token)


def test_a_token_lives_fifteen_minutes() -> None:
    """Cached or not; a second after its life it is refused."""

    async def run() -> None:
        desk = Desk()
        known, fresh = desk.issuer.issue(ADA), desk.issuer.issue(ADA)
        desk.verifier.verify(known)
        await desk.machine.sleep(LIFE_S)
        assert not desk.refuses(known)
        await desk.machine.sleep(1)
        assert desk.refuses(known) and desk.refuses(fresh)

    run_virtual(run())


def test_grace_while_the_issuer_is_away() -> None:
    """Twelve hours past expiry, and only as long as the issuer is away."""

    async def run() -> None:
        desk = Desk()
        token = desk.issuer.issue(ADA)
        await desk.machine.sleep(LIFE_S + 60)
        assert desk.refuses(token)
        desk.is_away = True
        assert not desk.refuses(token)
        await desk.machine.sleep(GRACE_S - 61)
        assert not desk.refuses(token)
        await desk.machine.sleep(2)
        assert desk.refuses(token)

    run_virtual(run())


def test_a_revoked_token_is_refused_at_once() -> None:
    """Also one that was verified before and in grace; others of the same person stay."""
    desk = Desk(is_away=True)
    token, other = desk.issuer.issue(ADA), desk.issuer.issue(ADA)
    desk.verifier.revoke(desk.verifier.verify(token).token_id)
    assert desk.refuses(token)
    assert not desk.refuses(other)


def test_keys_that_are_gone_end_their_tokens() -> None:
    """Also of tokens verified before; tokens of the new key are taken."""
    desk = Desk()
    old = desk.issuer.issue(ADA)
    desk.verifier.verify(old)
    new = TokenIssuer(new_signing_key("k2"), desk.machine)
    desk.verifier.set_keys([new.public_key])
    assert desk.refuses(old)
    assert not desk.refuses(new.issue(ADA))


def test_the_memory_of_verified_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its size it begins anew, and tokens are simply verified again."""
    monkeypatch.setattr(TokenVerifier, "CACHE_SIZE", 3)
    desk = Desk()
    tokens = [desk.issuer.issue(ADA) for _ in range(7)]
    assert not any(desk.refuses(token) for token in tokens * 2)
    assert len(desk.verifier._verified) <= 3

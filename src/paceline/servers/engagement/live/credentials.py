"""The engine's own access tokens: who may report permits, and what a visitor's page may do.

Tokens are signed with a key made at start and kept in memory: after a restart a pacing service gets
401 and asks for a new one. All other tokens are the Configuration Server's.
"""

from collections.abc import Callable

from paceline.runtime.ids import batch_id
from paceline.runtime.times import MachineTime
from paceline.wire.access import ENGAGEMENT_CLIENT, VISITOR
from paceline.wire.call import Principal
from paceline.wire.token import LIFE_S, TokenIssuer, TokenVerifier, new_signing_key

Verify = Callable[[str], Principal]


class EngineTokens:
    """Issues and verifies."""

    def __init__(self, machine: MachineTime, *, tenant: int) -> None:
        self._issuer = TokenIssuer(new_signing_key(f"engagement-{batch_id()}"), machine)
        self._verifier = TokenVerifier(machine)
        self._verifier.set_keys([self._issuer.public_key])
        self._tenant = tenant
        self._head = self.for_visitor("nobody", 1).partition(".")[0]

    def for_client(self, client_id: str) -> tuple[str, int]:
        """A token for a pacing service, and its life in seconds."""
        principal = Principal(
            name=client_id,
            kind="application",
            tenants=(self._tenant,),
            access_groups=(ENGAGEMENT_CLIENT,),
        )
        return self._issuer.issue(principal), LIFE_S

    def for_visitor(self, visitor: str, life_s: int) -> str:
        """A token with which a visitor may ask for, accept and decline invitations."""
        principal = Principal(
            name=visitor, kind="visitor", tenants=(self._tenant,), access_groups=(VISITOR,)
        )
        return self._issuer.issue(principal, life_s)

    def verifying(self, others: Verify) -> Verify:
        """A verification that takes the engine's tokens besides those that `others` takes."""

        def verify(token: str) -> Principal:
            # The head of a token names its key: each of ours begins with the same characters.
            is_ours = token.partition(".")[0] == self._head
            return self._verifier.verify(token) if is_ours else others(token)

        return verify

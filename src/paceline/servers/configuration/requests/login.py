"""Requests around tokens: login, renewal, logout, public keys, who am I."""

from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.servers.configuration.live.identities import Identities
from paceline.servers.configuration.rules.principals import APPLICATION, PERSON
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.configuration import Empty, Keys, Login, Me, Token, TokenRequest


class LoginRequests:
    """Tokens are signed here and verified by every server with `token.keys`."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {
            "session.login": self.login,
            "session.logout": self.logout,
            "token.issue": self.issue,
            "token.keys": self.keys,
            "me.get": self.me,
        }

    async def login(self, _call: Call, request: Login) -> Token:
        """A person's token."""
        return self._identities.login(PERSON, request.user, Secret(request.password))

    async def issue(self, call: Call, request: TokenRequest) -> Token:
        """An application's token, or a renewal of the caller's."""
        if request.grant_type == "renewal":
            return self._identities.renew(call.principal)
        if request.client_id is None or request.client_secret is None:
            field = "client_id" if request.client_id is None else "client_secret"
            raise PacelineError(
                "invalid_attribute",
                f"field '{field}' is missing; client_credentials needs the application's name "
                "and its secret",
                field=field,
            )
        secret = Secret(request.client_secret)
        return self._identities.login(APPLICATION, request.client_id, secret)

    async def logout(self, call: Call, _request: Empty) -> Done:
        """Revokes the caller's token."""
        await self._identities.logout(call.principal)
        return Done()

    async def keys(self, _call: Call, _request: Empty) -> Keys:
        """Public keys, and the revoked tokens that a server might still take."""
        return Keys(keys=self._identities.public_keys, revoked=await self._identities.revoked())

    async def me(self, call: Call, _request: Empty) -> Me:
        """The caller as the token says."""
        who = call.principal
        return Me(
            name=who.name, kind=who.kind, tenants=who.tenants, access_groups=who.access_groups
        )

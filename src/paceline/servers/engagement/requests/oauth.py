"""The token endpoint: client credentials (RFC 6749 §4.4), HTTP Basic, form body; strict and small.

The one credential is that of the transaction `hybrid_integration`, read at each request, so that a
changed secret is good at once.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs

import msgspec

from paceline.runtime.log import get_log
from paceline.runtime.secret import Secret
from paceline.sdk import ConfigurationSource
from paceline.servers.engagement.live.credentials import EngineTokens
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute
from paceline.wire.operations.engagement import OAuthToken

TRANSACTION = "hybrid_integration"
_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}

_log = get_log("engagement.oauth")


class TokenEndpoint:
    """Answers `POST /oauth/token`."""

    def __init__(
        self, configuration: ConfigurationSource, tokens: EngineTokens, *, tenant: int
    ) -> None:
        self._configuration = configuration
        self._tokens = tokens
        self._tenant = tenant

    @property
    def routes(self) -> tuple[OpenRoute, ...]:
        """The open route."""
        return (OpenRoute(method="POST", path="/oauth/token", handler=self.token),)

    async def token(self, request: OpenRequest) -> OpenResponse:
        """A token for the right id and password; errors are those of RFC 6749 §5.2."""
        given = _basic(request.headers.get("authorization", ""))
        if given is None:
            return _refusal(401, "invalid_client", "send client_id:password by HTTP Basic")
        client_id, password = given
        if not self._is_known(client_id, password):
            _log.warning("a token was refused: wrong client_id or password", client=client_id)
            return _refusal(401, "invalid_client", "unknown client_id or wrong password")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return _refusal(400, "invalid_request", "the body is a form")
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        grants = form.get("grant_type", [])
        if len(grants) != 1:
            return _refusal(400, "invalid_request", "give grant_type once")
        if grants[0] != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "grant_type is client_credentials")
        token, life_s = self._tokens.for_client(client_id)
        answer = OAuthToken(access_token=token, token_type="Bearer", expires_in=life_s)
        return OpenResponse(body=msgspec.json.encode(answer), headers=_NO_STORE)

    def _is_known(self, client_id: str, password: str) -> bool:
        found = self._configuration.snapshot.transaction(self._tenant, TRANSACTION)
        if found is None:
            return False
        wanted_id, wanted = found.option("ewt", "client_id"), found.option("ewt", "password")
        if not wanted_id or not wanted:
            return False
        is_id, is_password = (
            Secret(str(wanted_id)) == Secret(client_id),
            Secret(str(wanted)) == Secret(password),
        )
        return is_id and is_password


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, password = text.partition(":")
    return (client_id, password) if colon else None


def _refusal(status: int, error: str, description: str) -> OpenResponse:
    body: dict[str, Any] = {"error": error, "error_description": description}
    headers = dict(_NO_STORE)
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="engagement"'
    return OpenResponse(body=msgspec.json.encode(body), status=status, headers=headers)

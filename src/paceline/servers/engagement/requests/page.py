"""The visitor's page and the short token it works with."""

from importlib.resources import files
from typing import Any

import msgspec

from paceline.runtime.ids import batch_id
from paceline.runtime.settings import LiveSettings
from paceline.servers.engagement.live.credentials import EngineTokens
from paceline.servers.engagement.live.permits import Permits
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute

_SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class VisitorPage:
    """Open routes of a visitor's browser."""

    def __init__(self, tokens: EngineTokens, permits: Permits, settings: LiveSettings) -> None:
        self._tokens = tokens
        self._permits = permits
        self._settings = settings
        self._page = (
            files("paceline.servers.engagement").joinpath("static/visitor.html").read_bytes()
        )

    @property
    def routes(self) -> tuple[OpenRoute, ...]:
        """The open routes."""
        return (
            OpenRoute(method="GET", path="/", handler=self.page),
            OpenRoute(method="POST", path="/v1/visitor-token", handler=self.token),
        )

    async def page(self, request: OpenRequest) -> OpenResponse:
        """The page."""
        return OpenResponse(
            body=self._page, content_type="text/html; charset=utf-8", headers=_SECURITY
        )

    async def token(self, request: OpenRequest) -> OpenResponse:
        """A token for a new visitor, and the targets there are to be invited for."""
        visitor = f"visitor-{batch_id()}"
        life_s = round(self._settings.current.seconds("visitor", "tokenLife"))
        body: dict[str, Any] = {
            "token": self._tokens.for_visitor(visitor, life_s),
            "expires_in_s": life_s,
            "visitor": visitor,
            "targets": [
                {"id": target, "media_type": grants[-1].permit.media_type}
                for target, grants in self._permits
            ],
        }
        return OpenResponse(body=msgspec.json.encode(body), headers={"cache-control": "no-store"})

"""Coming in and going out: login with a password, the one-time link, logout.

Open routes of the console. Passwords go to the Configuration Server and are not kept; the token
it gives only says who the person is.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.servers.console.links.servers import Servers, away
from paceline.servers.console.live.sessions import Sessions
from paceline.servers.console.metrics import ConsoleMetrics
from paceline.servers.console.requests.answers import (
    answer,
    session_cookie,
    session_key,
    to_page,
)
from paceline.servers.console.requests.guard import Guard
from paceline.servers.console.requests.pages import LoginForm
from paceline.servers.console.rules.watchers import Watcher, watcher_of
from paceline.wire.call import Principal
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute

MAX_FORM_BYTES: Final = 4096
"""A user name and a password (chosen)."""

LOGIN_TIMEOUT_S: Final = 10.0
"""INTERFACES (deadlines)."""

_GO_ON: Final = (
    b'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    b'<title>Paceline</title><link rel="icon" href="/static/icon.svg">'
    b'<p><a href="/">Go on to the live page</a></p>'
)
"""A page of ours that goes on by itself: a strict cookie is not sent with a redirect that began elsewhere."""

_log = get_log("console")


class Entrance:
    """Opens and closes sessions."""

    def __init__(
        self,
        *,
        servers: Servers,
        verify: Callable[[str], Principal],
        sessions: Sessions,
        guard: Guard,
        form: LoginForm,
        settings: LiveSettings,
        metrics: ConsoleMetrics,
    ) -> None:
        self._servers = servers
        self._verify = verify
        self._sessions = sessions
        self._guard = guard
        self._form = form
        self._settings = settings
        self._metrics = metrics

    def routes(self) -> tuple[OpenRoute, ...]:
        """The open routes of this family."""
        return (
            OpenRoute(method="POST", path="/login", handler=self.login),
            OpenRoute(method="GET", path="/enter", handler=self.enter),
            OpenRoute(method="POST", path="/logout", handler=self.logout),
        )

    async def login(self, request: OpenRequest) -> OpenResponse:
        """A session for a person with a password, else the form with the reason."""
        _only_from_here(request)
        try:
            watcher = await self._person(request)
        except PacelineError as error:
            return self._refuse(error.message, error.http_status)
        return self._admit(request, watcher, "password", to_page)

    async def enter(self, request: OpenRequest) -> OpenResponse:
        """A session for whoever brings a one-time link that was not used yet."""
        watcher = self._sessions.use_link(request.query.get("key", ""))
        if watcher is None:
            return self._refuse("This link was used before or is too old. Log in here instead.")
        return self._admit(
            request, watcher, "link", lambda cookie: answer(_GO_ON, headers={"set-cookie": cookie})
        )

    async def logout(self, request: OpenRequest) -> OpenResponse:
        """Ends the session; without one nothing happens."""
        _only_from_here(request)
        self._sessions.close(session_key(request))
        return to_page(self._cookie(request, "", 0))

    async def _person(self, request: OpenRequest) -> Watcher:
        """Who the form's user is, as the Configuration Server says."""
        user, password = _credentials(request.body)
        client = self._servers.configuration
        problem = away("Configuration Server", client)
        if client is None or problem is not None:
            raise PacelineError(
                "owner_unavailable", f"Nobody can log in now: {problem}. Try again in a moment."
            )
        token = await client.session.login(user=user, password=password, timeout_s=LOGIN_TIMEOUT_S)
        return watcher_of(self._verify(token.token))

    def _admit(
        self,
        request: OpenRequest,
        watcher: Watcher,
        way: str,
        respond: Callable[[str], OpenResponse],
    ) -> OpenResponse:
        problem = self._guard.refusal(watcher)
        if problem is not None:
            return self._refuse(f"{watcher.name} cannot watch this site: {problem}.")
        self._sessions.close(session_key(request))
        self._metrics.logins.labels(outcome=way).inc()
        _log.standard("a person entered the console", user=watcher.name, way=way)
        life_s = int(self._settings.current.seconds("console", "session-timeout"))
        return respond(self._cookie(request, self._sessions.open(watcher), life_s))

    def _refuse(self, message: str, status: int = 403) -> OpenResponse:
        self._metrics.logins.labels(outcome="refused").inc()
        return self._form.show(message, status=status)

    def _cookie(self, request: OpenRequest, key: str, max_age_s: int) -> str:
        is_secure = self._settings.current.flag("console", "secure-cookie")
        return session_cookie(request, key, max_age_s=max_age_s, is_secure=is_secure)


def _only_from_here(request: OpenRequest) -> None:
    """Refuses forms that another site's page sends in the name of its visitor."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise PacelineError("not_allowed", "this form is sent from another site; open the console")


def _credentials(body: bytes) -> tuple[str, str]:
    if len(body) > MAX_FORM_BYTES:
        raise PacelineError("invalid_attribute", "The form is too large.", field="user")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=8))
    except ValueError:
        raise PacelineError("invalid_attribute", "The form cannot be read.") from None
    user, password = fields.get("user", "").strip(), fields.get("password", "")
    if not user or not password:
        raise PacelineError("invalid_attribute", "Give a user name and a password.", field="user")
    return user, password

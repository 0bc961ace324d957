"""Whether a browser's request may see the site: its session's person, checked in the configuration now.

Called by pages and the live feed; entrance asks it before a session is opened.
"""

from paceline.errors.failure import PacelineError
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.console.live.sessions import Sessions
from paceline.servers.console.requests.answers import session_key
from paceline.servers.console.rules.watchers import Watcher, refusal
from paceline.wire.open_route import OpenRequest


class Guard:
    """Knows the sessions and the configuration."""

    def __init__(self, sessions: Sessions, configuration: ConfigurationSource, tenant: int) -> None:
        self._sessions = sessions
        self._configuration = configuration
        self._tenant = tenant

    def refusal(self, watcher: Watcher) -> str | None:
        """Why this person may not watch, None when nothing stands against it."""
        return refusal(self._configuration.snapshot, self._tenant, watcher)

    def watcher(self, request: OpenRequest) -> Watcher | None:
        """Who asks; None without a session, or when its person may not watch any more."""
        found = self._sessions.person(session_key(request))
        return None if found is None or self.refusal(found) is not None else found

    def require(self, request: OpenRequest) -> None:
        """Lets only watchers pass.

        Raises
        ------
        PacelineError
            `unauthenticated` for everyone else.
        """
        if self.watcher(request) is None:
            raise PacelineError(
                "unauthenticated", "log in on the console's page; its session has ended or is none"
            )

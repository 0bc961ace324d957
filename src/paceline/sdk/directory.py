"""Where servers are: addresses by application name, as the servers report them.

Used by whoever connects to more than the Configuration Server. An address is asked for again at
each new connection, so that a server that moved is found; never keeps one longer than `FRESH_S`.
"""

from collections.abc import Awaitable, Callable

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.connection import OpenLink
from paceline.wire.client.websocket import open_socket_link
from paceline.wire.link import Link
from paceline.wire.operations.configuration import ApplicationStatus

FRESH_S = 0.2
"""Many connections that open at once share one question (chosen)."""

PAGE = 1000


class Directory:
    """Status and addresses of all applications.

    Parameters
    ----------
    open_link
        Opens a link to a URL.
    """

    def __init__(
        self,
        client: ConfigurationServerClient,
        times: Times,
        open_link: Callable[[str], Awaitable[Link]] = open_socket_link,
    ) -> None:
        self._client = client
        self._open_link = open_link
        self._machine = times.machine
        self._known: dict[str, ApplicationStatus] = {}
        self._asked_at: float | None = None

    async def statuses(self) -> dict[str, ApplicationStatus]:
        """Last reports by application name, at most `FRESH_S` old."""
        now = self._machine.monotonic()
        if self._asked_at is None or now - self._asked_at > FRESH_S:
            found: dict[str, ApplicationStatus] = {}
            continuation: str | None = None
            while True:
                page = await self._client.application.status(limit=PAGE, continuation=continuation)
                found |= {item.application: item for item in page.items}
                continuation = page.continuation
                if continuation is None:
                    break
            self._known, self._asked_at = found, self._machine.monotonic()
        return self._known

    async def url_of(self, application: str, port_id: str = "default") -> str:
        """Where an application that runs is reached.

        Raises
        ------
        PacelineError
            `not_found` when there is no such application; `owner_unavailable` while it does not
            run or has not said where.
        """
        status = (await self.statuses()).get(application)
        if status is None:
            raise PacelineError(
                "not_found", f"application '{application}' is not in the configuration; create it"
            )
        url = status.urls.get(port_id)
        if status.status in ("stopped", "unknown") or url is None:
            raise PacelineError(
                "owner_unavailable",
                f"application '{application}' is {status.status} and has no address for port "
                f"'{port_id}'; start it",
                retry_after_s=1.0,
            )
        return url

    def link_to(self, application: str, port_id: str = "default") -> OpenLink:
        """Opens links to an application, wherever it is at that moment."""

        async def open_link() -> Link:
            return await self._open_link(await self.url_of(application, port_id))

        return open_link

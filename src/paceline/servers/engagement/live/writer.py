"""The way to the book for requests and tasks: the lane, once the engine is the database's writer."""

import asyncio
from math import inf

from paceline.errors.failure import PacelineError
from paceline.servers.engagement.live.book import Work
from paceline.servers.engagement.store.invitations import Invitation
from paceline.storage.lane import Lane

Outcome = Invitation | None


class Writer:
    """Refuses work until `open`."""

    def __init__(self) -> None:
        self._lane: Lane[Work, Outcome] | None = None

    def open(self, lane: Lane[Work, Outcome]) -> None:
        """Work may come."""
        self._lane = lane

    def close(self) -> None:
        """No more work; what waits is still committed."""
        if self._lane is not None:
            self._lane.close()

    def submit(self, work: Work, deadline: float = inf) -> "asyncio.Future[Outcome]":
        """Add work to the forming batch; see `Lane.submit`.

        Raises
        ------
        PacelineError
            `database_unavailable` before the engine has its database.
        """
        if self._lane is None:
            raise PacelineError(
                "database_unavailable", "the engine is still starting", retry_after_s=1.0
            )
        return self._lane.submit(work, deadline)

"""What all request families share: the lane, the node's live settings, and who acts."""

import asyncio
from typing import Any, Final

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.storage.database import DatabaseError
from paceline.storage.lane import Lane
from paceline.wire.call import Call

TRIED_AGAIN: Final = frozenset({"database_unavailable", "outcome_unknown", "overloaded"})
"""What passes: the node's own work is repeated until it is done."""

PAUSE_S: Final = 1.0
"""Machine seconds between two attempts at the node's own work (chosen)."""

_log = get_log("interaction.lane")


class NodeLane:
    """The way of every change: work in, answer after its commit."""

    def __init__(
        self,
        lane: Lane[Work, Any],
        node: NodeState,
        settings: LiveSettings,
        tasks: TaskGroup,
    ) -> None:
        self._lane = lane
        self._tasks = tasks
        self.node = node
        self.settings = settings

    def submit(self, call: Call, work: Work) -> "asyncio.Future[Any]":
        """Work of a request; dropped when its deadline passes before a batch takes it."""
        return self._lane.submit(work, call.deadline)

    def submit_own(self, work: Work) -> None:
        """Work of the node itself: timers, lost sessions; repeated until it is done.

        What is left when the node stops is looked after by its next start.
        """
        if not self._lane.is_closed:
            self._tasks.start("work of the node itself", self.carry_out(work))

    def attempt(self, work: Work) -> "asyncio.Future[Any]":
        """One attempt at work of the node itself, for a caller that repeats it in another form."""
        return self._lane.submit(work)

    async def carry_out(self, work: Work) -> None:
        """Does work of the node itself and waits for it; repeats what a fault of the database broke."""
        while not self._lane.is_closed:
            try:
                await self._lane.submit(work)
            except PacelineError as error:
                if error.name not in TRIED_AGAIN:
                    _log.warning("work of the node itself is dropped", why=error.message)
                    return
                _log.warning("work of the node itself is tried again", why=error.message)
                await self.node.times.machine.sleep(PAUSE_S)
            except DatabaseError as error:  # a fault of the work, which would fail again
                _log.error("work of the node itself is dropped", why=str(error))
                return
            else:
                return

    def undelivered(self, work: Work, outcome: Any) -> None:
        """The caller went after the commit and before it took the answer."""
        if work.on_undelivered is not None:
            work.on_undelivered(outcome)


def actor_of(call: Call) -> str:
    """Who acts, as events say it."""
    return f"{call.client_kind}:{call.client}"

"""Takes up what is there: agents who are not logged in, work in hand, customers who wait.

Run by whole_site.py at its start (after a kill: the whole of yesterday), after a lost link, and
every few seconds for what an unanswered call left open. Asks the Interaction Server only.
"""

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.agents import AgentDesk
from paceline.simulator.site import Site
from paceline.simulator.waiting import WaitingCustomers
from paceline.wire.operations.agent import AgentSession

INTERVAL_S = 5.0
"""Machine seconds between two looks (chosen)."""

WAITING = "InteractionState < 3"
"""Queued, cached or in routing (model/interaction.py): everything before an agent has it."""

PAGE = 500
"""The Interaction Server's default for max-interactions-per-find."""

_log = get_log("simulator")


class Adoption:
    """See the module."""

    def __init__(
        self,
        client: InteractionServerClient,
        *,
        site: Site,
        desk: AgentDesk,
        waiting: WaitingCustomers,
        times: Times,
    ) -> None:
        self._client = client
        self._site = site
        self._desk = desk
        self._waiting = waiting
        self._times = times

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            await self._times.machine.sleep(INTERVAL_S)
            try:
                await self.look()
            except PacelineError as error:
                _log.debug("could not look", problem=str(error))

    async def look(self) -> None:
        """Takes up whatever nobody has taken up.

        Raises
        ------
        PacelineError
            When the Interaction Server does not answer.
        """
        sessions = await self._sessions()
        linked = {session.agent for session in sessions if session.is_connected}
        await self._desk.log_in(name for name in self._site.agents if name not in linked)
        for session in sessions:
            if session.agent in self._site.agents:
                await self._desk.take_up(session)
        await self._find_waiting()

    async def _sessions(self) -> list[AgentSession]:
        found: list[AgentSession] = []
        continuation: str | None = None
        while True:
            page = await self._client.agent.list(limit=PAGE, continuation=continuation)
            found += page.items
            continuation = page.continuation
            if continuation is None:
                return found

    async def _find_waiting(self) -> None:
        continuation: str | None = None
        while True:
            page = await self._client.interaction.find(
                condition=WAITING, limit=PAGE, continuation=continuation
            )
            for found in page.interactions:
                since = to_millis(found.received_at, field="received_at")
                self._waiting.begin(found.interaction_id, since)
            continuation = page.continuation
            if continuation is None:
                return

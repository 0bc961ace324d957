"""A router that is pushed what it routes: attached with credit, it reserves agents and offers to them.

Part of traffic.py, beside the site's own routers, for the queues that only rehearsals have.
"""

from typing import Final

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.wire.operations.interaction import DeliveryResult
from paceline.wire.operations.push import RouteRequest

VIEWS: Final = ("Letters view", "Parcels view")
CREDITS: Final = (1, 3, 8)
"""What the router is ready to hold at once; another one now and then (chosen)."""

TURN_S: Final = 20.0
"""Mean time until it attaches anew with another credit, or detaches for a moment (chosen)."""

TRIES: Final = 6
GONE: Final = frozenset({"not_owner", "not_found", "not_waiting"})
"""Refusals that mean: the router has it no longer."""


class PushedRouter:
    """See the module; offers to the agents named."""

    def __init__(
        self,
        client: InteractionServerClient,
        agents: list[str],
        *,
        times: Times,
        chance: Chance,
        tasks: TaskGroup,
    ) -> None:
        self._client = client
        self._agents = agents
        self._machine = times.machine
        self._dice = chance.stream("pushed router")
        self._tasks = tasks
        client.connection.on_notice("router.route_request", self._given)
        client.connection.on_notice("interaction.delivery_result", self._told)
        client.connection.watch_connection(self._connection_changed)

    def start(self) -> None:
        """Begins to be pushed to."""
        self._tasks.start("router's turns", self._turns())

    def _connection_changed(self, is_connected: bool) -> None:
        if is_connected:
            self._tasks.start("attach", self._attach())

    async def _turns(self) -> None:
        while True:
            await self._attach()
            await self._machine.sleep(self._dice.exponential(TURN_S))
            if self._dice.random() < 0.2:
                try:
                    await self._client.router.detach()
                except PacelineError:
                    continue
                await self._machine.sleep(self._dice.exponential(3.0))

    async def _attach(self) -> None:
        try:
            await self._client.router.attach(views=VIEWS, credit=self._dice.choice(CREDITS))
        except PacelineError:
            return

    # --- routing --------------------------------------------------------------------------------

    def _given(self, notice: RouteRequest) -> None:
        self._tasks.start("route", self._route(notice.interaction.interaction_id))

    def _told(self, notice: DeliveryResult) -> None:
        if notice.outcome == "rejected":
            self._tasks.start("route", self._route(notice.interaction_id))

    async def _route(self, interaction_id: str) -> None:
        """Offers it to one agent after the other; nobody takes it: back to its queue."""
        try:
            for _ in range(TRIES):
                await self._machine.sleep(self._dice.uniform(0.0, 1.0))
                if await self._offer(interaction_id, self._dice.choice(self._agents)):
                    return
            await self._client.interaction.place_in_queue(
                interaction_id=interaction_id, queue="__BACK__", reason="nobody"
            )
        except PacelineError:
            return

    async def _offer(self, interaction_id: str, agent: str) -> bool:
        """Whether the agent was invited; with a reservation before half the time.

        Raises
        ------
        PacelineError
            When the interaction is the router's no longer, or nobody knows.
        """
        try:
            if self._dice.random() < 0.5:
                seconds = self._dice.choice((0.0, 1.0, 5.0))
                await self._client.agent.reserve(
                    agent=agent, interaction_id=interaction_id, duration_s=seconds
                )
            await self._client.interaction.deliver(interaction_id=interaction_id, agent=agent)
        except PacelineError as error:
            if error.name in GONE or error.outcome == "unknown":
                raise
            return False
        return True

"""Timers of an interaction node: offers that end unanswered, agents that do not come back, clean-up."""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.requests.agent_session import LOST, AgentRequests
from paceline.servers.interaction.requests.delivery import DeliveryRequests, Offers
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.store.node import delete_expired
from paceline.storage.database import Database

CLEAN_UP_S = 60.0
"""Machine seconds between deletions of expired tokens and old batch records (chosen)."""

BATCH_RECORD_MS = 3_600_000
"""Batch records are kept for an hour: far longer than a lost commit may stay unanswered."""

SHORTEST_WAIT_S = 0.01

_log = get_log("interaction.timers")


async def run_offer_ends(lane: NodeLane, offers: Offers, delivery: DeliveryRequests) -> None:
    """Revokes offers whose delivering-timeout is over; runs until cancelled."""
    business = lane.node.times.business
    earlier = asyncio.Event()
    offers.on_earlier = earlier.set
    while True:
        for key, ticket in offers.ended(business.now()):
            delivery.end_offer(key, ticket)
        earlier.clear()
        end = offers.next_end()
        if end is None:
            await earlier.wait()
            continue
        wait_s = business.machine_seconds((end - business.now()) / 1000)
        try:
            async with asyncio.timeout(max(SHORTEST_WAIT_S, wait_s)):
                await earlier.wait()
        except TimeoutError:
            continue


class LostAgents:
    """Logs out agents whose last connection is gone for longer than the grace."""

    def __init__(self, lane: NodeLane, tasks: TaskGroup) -> None:
        self._lane = lane
        self._tasks = tasks
        self.requests: AgentRequests | None = None

    def lost(self, key: tuple[int, int], session_id: str) -> None:
        """An agent's last connection is gone: the grace begins."""
        self._tasks.start("grace of an agent", self._grace(key, session_id))

    async def _grace(self, key: tuple[int, int], session_id: str) -> None:
        node = self._lane.node
        await node.times.machine.sleep(
            self._lane.settings.current.seconds("settings", "mass-logout-grace")
        )
        while True:
            agent = node.agents.get(key)
            if self.requests is None or agent is None or agent.session_id != session_id:
                return
            if node.links.is_attached(key):
                return
            try:
                await self._lane.attempt(
                    self.requests.logout_work(key[0], agent.name, "server", LOST)
                )
                return
            except PacelineError as error:
                if error.name in ("shutting_down", "stale_epoch"):
                    return
                _log.warning(
                    "logout of a lost agent is tried again", agent=agent.name, why=error.message
                )
                await node.times.machine.sleep(1.0)


async def run_clean_up(lane: NodeLane, database: Database) -> None:
    """Deletes what has expired; runs until cancelled."""
    times = lane.node.times
    while True:
        await times.machine.sleep(CLEAN_UP_S)
        try:
            await delete_expired(
                database,
                business_now=times.business.now(),
                batches_before=times.machine.now() - BATCH_RECORD_MS,
            )
        except PacelineError as error:
            _log.warning("clean-up waits for the database", why=error.message)

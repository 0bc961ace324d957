"""Timers of agent sessions: the grace of lost ones, the mass-logout shield, sessions without requests."""

import asyncio
from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, AgentKey
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.servers.interaction.live.agent_transitions import is_in_grace
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.agent_session import LOST, ending
from paceline.servers.interaction.requests.lane import PAUSE_S, NodeLane
from paceline.servers.interaction.rules.mass_logout import MassLogouts
from paceline.storage.database import DatabaseError
from paceline.wire.call import Peer

IDLE = "login-session-timeout"
"""Reason of the logout of a session without requests."""

LONGEST_CHECK_S = 30.0
"""Business seconds between looks at sessions without requests: half the shortest timeout (§3.1)."""

SHORTEST_CHECK_S = 1.0
"""Business seconds; a session ends at most so much later than its timeout says (chosen)."""

_log = get_log("interaction.agents")


class AgentTimers:
    """Ends sessions by the node's own decision; see the module.

    When one link loses many agents at once, reporting clients get one signal: whoever comes back
    within the grace leaves no record of a logout, the others one each.
    """

    def __init__(self, lane: NodeLane, tasks: TaskGroup) -> None:
        self._lane = lane
        self._tasks = tasks
        self._shield = MassLogouts()
        self._started_at = lane.node.times.business.now()

    def lost_link(self, peer: Peer, lost: list[AgentKey]) -> None:
        """A link is gone, and with it the last connection of these agents: the grace begins."""
        current = self._lane.settings.current
        is_mass_logout = self._shield.lose(
            peer.client,
            [tenant for tenant, _ in lost],
            self._lane.node.times.machine.monotonic(),
            threshold=current.integer("settings", "mass-logout-threshold"),
            window_s=current.seconds("settings", "mass-logout-window"),
        )
        if is_mass_logout:
            self._signal(peer.client)
        self.begin_grace(lost)

    def begin_grace(self, lost: list[AgentKey]) -> None:
        """These agents are logged out unless they are back within the grace."""
        if lost and not self._lane.is_closed:
            losses = {key: self._lane.node.links.losses(key) for key in lost}
            self._tasks.start("grace of lost agents", self._grace(losses))

    def _signal(self, path: str) -> None:
        def apply(node: NodeState) -> None:
            for tenant, count in sorted(self._shield.sessions(path).items()):
                data: dict[str, object] = {"path": path, "sessions": count}
                node.event(events.PANIC_SIGNAL, "server", tenant=tenant, reason=LOST, data=data)

        _log.warning("many agent sessions were lost at once", path=path)
        self._lane.submit_own(Work(apply))

    async def _grace(self, losses: dict[AgentKey, int]) -> None:
        def is_due(node: NodeState, agent: Agent) -> bool:
            return is_in_grace(node, agent) and node.links.losses(agent.key) == losses[agent.key]

        machine = self._lane.node.times.machine
        await machine.sleep(self._lane.settings.current.seconds("settings", "mass-logout-grace"))
        lost = list(losses)
        while lost:
            lost = await self._end(lost, LOST, is_due)
            if lost:
                await machine.sleep(PAUSE_S)

    async def run_idle(self) -> None:
        """Ends sessions without any request for login-session-timeout; runs until cancelled."""
        node = self._lane.node
        while True:
            now = node.times.business.now()
            ends = [(self._idle_end(node, agent), agent) for agent in node.agents.values()]
            due = [agent.key for end, agent in ends if end <= now]
            if due:
                await self._end(due, IDLE, self._is_idle)
            next_end = min((end for end, _ in ends if end > now), default=now)
            wait_s = (next_end - now) / 1000 or LONGEST_CHECK_S
            await node.times.business.sleep(min(max(wait_s, SHORTEST_CHECK_S), LONGEST_CHECK_S))

    def _is_idle(self, node: NodeState, agent: Agent) -> bool:
        return self._idle_end(node, agent) <= node.times.business.now()

    def _idle_end(self, node: NodeState, agent: Agent) -> int:
        """When the session ends if no request comes: any request of the agent puts it off."""
        last = max(self._started_at, node.links.active_at(agent.key))
        own_request_at = node.links.own_request_at(agent.key)
        if own_request_at is not None:
            machine, business = node.times.machine, node.times.business
            ago_s = (machine.monotonic() - own_request_at) * business.speed
            last = max(last, business.now() - int(ago_s * 1000))
        timeout_s = self._lane.settings.current.seconds("settings", "login-session-timeout")
        return last + int(timeout_s * 1000)

    async def _end(
        self,
        agents: list[AgentKey],
        reason: str,
        is_due: Callable[[NodeState, Agent], bool],
    ) -> list[AgentKey]:
        """Ends sessions, many in one batch; gives those that are to be tried again."""
        begun: list[tuple[AgentKey, asyncio.Future[None]]] = []
        again: list[AgentKey] = []
        for key in agents:
            try:
                work = ending(self._lane.node, key, reason, is_due)
                begun.append((key, self._lane.attempt(work)))
            except PacelineError as error:
                self._note(error, key, again)
        for key, answer in begun:
            try:
                await answer
            except PacelineError as error:
                self._note(error, key, again)
            except DatabaseError as error:  # a fault of the work, which would fail again
                _log.error("logout of an agent is dropped", agent=key[1], why=str(error))
        return again

    def _note(self, error: PacelineError, key: AgentKey, again: list[AgentKey]) -> None:
        if error.name not in ("shutting_down", "stale_epoch"):
            _log.warning("logout of an agent is tried again", agent=key[1], why=error.message)
            again.append(key)

"""Utilization of the agents as the Stat Server sees them: busy slots ÷ (busy + ready) slots over time.

Followed by summary.py during a run. Time in which the Stat Server is away does not count.
"""

from paceline.errors.failure import PacelineError
from paceline.model.target import comma_list
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import BusinessTime
from paceline.sdk import StatServerClient, Subscription
from paceline.simulator.site import Site
from paceline.wire.operations.statistic import (
    AgentTargetState,
    Definition,
    OpenStatistic,
    StatisticChanges,
    StreamStatistics,
)

_log = get_log("simulator")


class SlotMeter:
    """Slot-seconds of agents who come, change and go; instants are business milliseconds."""

    def __init__(self) -> None:
        self._slots: dict[str, tuple[int, int]] = {}
        self._since: int | None = None
        self._busy_ms = 0
        self._ready_ms = 0

    def put(self, state: AgentTargetState, now: int) -> None:
        """An agent's slots from now on: in use, and free for one more."""
        self._pass(now)
        media = state.media.values()
        busy = sum(capacity.current for capacity in media)
        ready = sum(max(0, c.maximum - c.current) for c in media if c.routable)
        self._slots[state.agent] = (busy, ready)

    def remove(self, agent: str, now: int) -> None:
        """The agent is logged out."""
        self._pass(now)
        self._slots.pop(agent, None)

    def clear(self, now: int) -> None:
        """Nothing is known from now on."""
        self._pass(now)
        self._slots.clear()

    def share(self, now: int) -> float:
        """Busy ÷ (busy + ready) up to now; 0 without any agent."""
        self._pass(now)
        total = self._busy_ms + self._ready_ms
        return self._busy_ms / total if total else 0.0

    def _pass(self, now: int) -> None:
        if self._since is not None:
            passed = max(0, now - self._since)
            self._busy_ms += passed * sum(busy for busy, _ in self._slots.values())
            self._ready_ms += passed * sum(ready for _, ready in self._slots.values())
        self._since = now


class Utilization:
    """Follows the target states of all agents who serve pacing targets."""

    def __init__(
        self, client: StatServerClient, *, site: Site, business: BusinessTime, tasks: TaskGroup
    ) -> None:
        self._client = client
        self._site = site
        self._business = business
        self._tasks = tasks
        self._meter = SlotMeter()
        self._stream: Subscription[StatisticChanges] | None = None
        self._ended: float | None = None

    def start(self) -> None:
        """Follow from now on, over lost links too."""
        self._client.connection.watch_connection(self._connection_changed)
        if self._client.connection.is_connected:
            self._connection_changed(True)

    def end(self) -> None:
        """The run is over: the share stays what it is now."""
        if self._ended is None:
            self._ended = self._meter.share(self._business.now())
            self._forget()

    @property
    def share(self) -> float:
        """Busy ÷ (busy + ready) slots since the start."""
        if self._ended is not None:
            return self._ended
        return self._meter.share(self._business.now())

    def _connection_changed(self, is_connected: bool) -> None:
        if self._ended is not None:
            return
        self._forget()
        if is_connected:
            self._tasks.start("follow agents", self._follow())

    def _forget(self) -> None:
        self._meter.clear(self._business.now())
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    async def _follow(self) -> None:
        groups = {name for target in self._site.all_targets for name in target.agent_groups}
        if not groups:
            return
        wanted = OpenStatistic(
            object_kind="GroupAgents",
            object=comma_list(sorted(groups)),
            definition=Definition(category="CurrentTargetState", subject="AgentStatus"),
            notification="ChangesBased",
        )
        try:
            (opened,) = (await self._client.statistic.open(items=(wanted,))).items
        except PacelineError as error:
            _log.debug("utilization is not followed", problem=str(error))
            return
        if opened.id is None:
            _log.warning("utilization is not followed", problem=opened.error)
            return
        request = StreamStatistics(ids=(opened.id,))
        self._forget()
        self._stream = self._client.statistic.subscribe(
            lambda: request, self._take, lambda _: self._meter.clear(self._business.now())
        )

    def _take(self, notice: StatisticChanges) -> None:
        now = self._business.now()
        for state in notice.changed:
            self._meter.put(state, now)
        for agent in notice.removed:
            self._meter.remove(agent, now)

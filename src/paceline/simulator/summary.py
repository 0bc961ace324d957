"""The figures of a demo run as the servers count them: the JSON object of INTERFACES (Commands).

Made by whole_site.py: `begin` at the start, `end` when the made-up world stands still. The
simulator's own wishes count for nothing here.
"""

from dataclasses import dataclass
from math import sqrt

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.log import log_error_count
from paceline.runtime.times import Times
from paceline.sdk import (
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    StatServerClient,
)
from paceline.simulator.event_count import EventCount
from paceline.simulator.permit_count import PermitCount
from paceline.simulator.site import Site
from paceline.simulator.utilization import Utilization
from paceline.units.quantities import Millis
from paceline.wire.operations.statistic import OpenStatistic

SETTLE_S = 15.0
"""Machine seconds in which the Stat Server must have taken the end of the log (chosen)."""

LOOK_S = 0.1
"""Machine seconds between two looks at it (chosen)."""

PAGE = 500
Z_95 = 1.959964
"""97.5 % quantile of the normal distribution."""


class Reactive(msgspec.Struct, frozen=True):
    """Reactive customers of the run."""

    arrived: int
    abandoned: int


class Interactions(msgspec.Struct, frozen=True):
    """All interactions of the data folder since it was made: submitted = stopped + in_system."""

    submitted: int
    stopped: int
    in_system: int


class DemoSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The object that `demo --headless --json` prints.

    `interactions`, `events` and `events_recounted` are of the whole log, everything else is of
    this run.
    """

    business_hours: float
    permits: int
    invitations: int
    accepted: int
    abandoned: int
    abandoned_percent: float
    abandoned_percent_interval: tuple[float, float]
    goal_percent: float
    utilization: float
    reactive: Reactive
    interactions: Interactions
    events: int
    events_recounted: int
    alarms: int
    log_errors: int
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteClients:
    """The made-up world's connections: one as a media server, one as the agents' desks, and to whoever counts."""

    media: InteractionServerClient
    desk: InteractionServerClient
    engagement: EngagementEngineClient
    stat: StatServerClient
    pacing: PacingServerClient
    message: MessageServerClient


@dataclass(frozen=True, slots=True)
class _Totals:
    """Totals that only grow: a run's figure is the end's less the start's."""

    invitations: int
    entered: dict[str, float]
    abandoned: dict[str, float]
    last_alarm: int


def wilson_percent(count: int, of: int) -> tuple[float, float]:
    """95 % interval of a share, in percent (Wilson 1927); everything is possible of nothing."""
    if of <= 0:
        return 0.0, 100.0
    share, z2 = count / of, Z_95 * Z_95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


class Figures:
    """Asks the servers."""

    def __init__(
        self,
        clients: SiteClients,
        *,
        site: Site,
        times: Times,
        utilization: Utilization,
    ) -> None:
        self._clients = clients
        self._site = site
        self._times = times
        self._utilization = utilization
        self._permits = PermitCount()
        self._began_at = Millis(0)
        self._ended_at: Millis | None = None
        self._errors = 0
        self._before = _Totals(0, {}, {}, 0)

    async def begin(self) -> None:
        """Notes where everything stands and follows what cannot be asked for later.

        Raises
        ------
        PacelineError
            When a server does not answer.
        """
        self._began_at = self._times.business.now()
        self._errors = log_error_count()
        self._before = await self._totals()
        self._permits.follow(self._clients.pacing)
        self._utilization.start()

    async def end(self) -> None:
        """The run is over; later figures are of this instant."""
        if self._ended_at is None:
            self._ended_at = self._times.business.now()
            self._utilization.end()
            self._permits.close()
            try:
                cluster = await self._clients.pacing.cluster.get()
            except PacelineError:
                return  # what was granted since the last notice is left out
            self._permits.advance(cluster.epoch, cluster.sequence)

    async def summary(self) -> DemoSummary:
        """The figures from `begin` to `end`.

        Raises
        ------
        PacelineError
            When a server does not answer.
        """
        await self.end()
        ended_at = self._ended_at or self._began_at
        now, before = await self._totals(), self._before
        counts, recounted, in_system = await self._count()
        entered = {name: n - before.entered.get(name, 0) for name, n in now.entered.items()}
        accepted = round(sum(entered.values()))
        abandoned = round(sum(now.abandoned.values()) - sum(before.abandoned.values()))
        low, high = wilson_percent(abandoned, accepted)
        return DemoSummary(
            business_hours=round((ended_at - self._began_at) / 3_600_000, 4),
            permits=self._permits.granted,
            invitations=now.invitations - before.invitations,
            accepted=accepted,
            abandoned=abandoned,
            abandoned_percent=round(100 * abandoned / accepted, 3) if accepted else 0.0,
            abandoned_percent_interval=(round(low, 3), round(high, 3)),
            goal_percent=round(self._goal_percent(entered), 3),
            utilization=round(self._utilization.share, 4),
            reactive=Reactive(counts.reactive_arrived, counts.reactive_abandoned),
            interactions=Interactions(counts.submitted, counts.stopped, in_system),
            events=counts.events,
            events_recounted=recounted,
            alarms=await self._alarms_after(before.last_alarm),
            log_errors=log_error_count() - self._errors,
            policy=self._site.policy,
        )

    def _goal_percent(self, entered: dict[str, float]) -> float:
        """The goal that the pooled share is to be compared with: by what each target contributed."""
        targets = self._site.all_targets
        weights = [max(0.0, entered.get(target.virtual_queue, 0.0)) for target in targets]
        if not sum(weights):
            weights = [1.0] * len(targets)
        goals = [target.goal_percent for target in targets]
        total = sum(weights)
        return sum(w * goal for w, goal in zip(weights, goals, strict=True)) / total if total else 0

    async def _totals(self) -> _Totals:
        queues = sorted({target.virtual_queue for target in self._site.all_targets})
        accepted = await self._statistic(queues, "PACS_VQ_Accepted", is_total=True)
        abandoned = await self._statistic(queues, "PACS_VQ_Abandoned", is_total=True)
        current = await self._statistic(queues, "PACS_VQ_Current", is_total=False)
        page = await self._clients.engagement.engagement_target.list()
        alarms = await self._clients.message.alarm.list(all=True, limit=1)
        return _Totals(
            invitations=sum(item.sent for item in page.items),
            entered={name: accepted[name] + abandoned[name] + current[name] for name in queues},
            abandoned=abandoned,
            last_alarm=max((alarm.id for alarm in alarms.items), default=0),
        )

    async def _statistic(
        self, queues: list[str], stat_type: str, *, is_total: bool
    ) -> dict[str, float]:
        """Values of a pacing statistic for proactive interactions, by virtual queue."""
        if not queues:
            return {}
        wanted = tuple(
            OpenStatistic(
                object_kind="Queue",
                object=queue,
                stat_type=stat_type,
                filter="PACS_Proactive_Interaction",
                profile="Ever" if is_total else None,
            )
            for queue in queues
        )
        opened = (await self._clients.stat.statistic.open(items=wanted)).items
        ids = {queue: one.id for queue, one in zip(queues, opened, strict=True) if one.id}
        peeked = await self._clients.stat.statistic.peek(ids=tuple(ids.values()))
        values = {item.id: item.value or 0.0 for item in peeked.items}
        return {queue: values.get(ids.get(queue, 0), 0.0) for queue in queues}

    async def _count(self) -> tuple[EventCount, int, int]:
        """The log up to where the Stat Server is, its own count, and what is found in work.

        The Stat Server must have taken all that was in the log before, and nothing may be on its
        way between log and search; what still differs after `SETTLE_S` is told as it is.
        """
        counts = EventCount(to_text(self._began_at))
        await counts.read(self._clients.media)
        until = self._times.machine.monotonic() + SETTLE_S
        while True:
            position = await self._clients.stat.stat.position()
            taken = {node.node: node.last_event_id for node in position.nodes}
            await counts.read(self._clients.media, until=taken)
            in_system = await self._in_system()
            is_whole = all(taken.get(node, 0) >= last for node, last in counts.last_ids.items())
            if (is_whole and in_system == counts.in_system) or (
                self._times.machine.monotonic() >= until
            ):
                return counts, position.events, in_system
            await self._times.machine.sleep(LOOK_S)

    async def _in_system(self) -> int:
        """Interactions that the Interaction Server finds in work."""
        found, continuation = 0, None
        while True:
            page = await self._clients.media.interaction.find(
                condition="InteractionState < 4", limit=PAGE, continuation=continuation
            )
            found += len(page.interactions)
            continuation = page.continuation
            if continuation is None:
                return found

    async def _alarms_after(self, last: int) -> int:
        """Alarms raised in the run, those that are cleared again among them."""
        count, continuation = 0, None
        while True:
            page = await self._clients.message.alarm.list(
                all=True, limit=PAGE, continuation=continuation
            )
            count += sum(alarm.id > last for alarm in page.items)
            continuation = page.continuation
            if continuation is None:
                return count

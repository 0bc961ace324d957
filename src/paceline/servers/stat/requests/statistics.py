"""Opening, reading and closing statistics, and how far the streams are taken."""

from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.opened import Opened as OpenedStatistics
from paceline.servers.stat.live.statistics import Statistic
from paceline.servers.stat.live.subscriptions import Subscriptions
from paceline.servers.stat.rules.definitions import resolve
from paceline.servers.stat.rules.stat_types import Catalogue
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.everywhere import Nothing
from paceline.wire.operations.statistic import (
    NodePosition,
    Opened,
    OpenedMany,
    OpenStatistic,
    OpenStatistics,
    Peek,
    Peeked,
    StatisticRef,
    StatisticValue,
    StreamPosition,
    TargetState,
)


class StatisticRequests:
    """Requests about single statistics and about many at one position."""

    def __init__(
        self,
        *,
        centre: Centre,
        opened: OpenedStatistics,
        subscriptions: Subscriptions,
        configuration: ConfigurationSource,
        catalogue: Callable[[], Catalogue],
        settings: LiveSettings,
        times: Times,
    ) -> None:
        self._centre = centre
        self._opened = opened
        self._subscriptions = subscriptions
        self._configuration = configuration
        self._catalogue = catalogue
        self._settings = settings
        self._times = times
        self._sessions: set[str] = set()

    @property
    def handlers(self) -> Handlers:
        """Operation names and what answers them."""
        return {
            "statistic.open": self.open,
            "statistic.get": self.get,
            "statistic.peek": self.peek,
            "statistic.close": self.close,
            "stat.position": self.position,
        }

    async def open(self, call: Call, request: OpenStatistics) -> OpenedMany:
        """Open each; what cannot be opened says why and leaves the others alone."""
        user = self._user(call)
        return OpenedMany(items=tuple(self._open_one(call, user, item) for item in request.items))

    async def get(self, call: Call, request: StatisticRef) -> StatisticValue:
        """The value of one."""
        statistic = self.find(call, request.id)
        self._advance(self._now_text())
        return self._value(statistic)

    async def peek(self, call: Call, request: Peek) -> Peeked:
        """Values of many; nothing can be taken from the streams while they are read."""
        statistics = [self.find(call, each) for each in request.ids]
        positions = self._centre.positions
        at = self._now_text()
        self._advance(at)
        return Peeked(
            items=tuple(self._value(statistic) for statistic in statistics),
            position=positions.text,
            at=at,
            is_live=positions.is_live,
        )

    async def close(self, call: Call, request: StatisticRef) -> Done:
        """The caller needs it no longer."""
        self._opened.close(self.find(call, request.id), self._user(call))
        return Done()

    async def position(self, call: Call, request: Nothing) -> StreamPosition:
        """How far every node is taken."""
        positions = self._centre.positions
        return StreamPosition(
            nodes=tuple(
                NodePosition(node=node, last_event_id=last, events=positions.taken[node])
                for node, last in sorted(positions.last_event_id.items())
            ),
            events=positions.events,
            position=positions.text,
            is_live=positions.is_live,
        )

    def find(self, call: Call, statistic_id: int) -> Statistic:
        """An open statistic that the caller may see.

        Raises
        ------
        PacelineError
            `not_found`, or `not_allowed` on another tenant's.
        """
        statistic = self._opened.used(statistic_id, self._times.business.now())
        call.tenant_of(statistic.key.tenant)
        return statistic

    def _open_one(self, call: Call, user: str, request: OpenStatistic) -> Opened:
        try:
            tenant = call.tenant_of(request.tenant)
            snapshot = self._configuration.snapshot
            key = resolve(request, tenant, self._catalogue(), snapshot)
            statistic = self._opened.open(
                key,
                user,
                now=self._times.business.now(),
                at=self._now_text(),
                maximum=self._settings.current.integer("statistics", "maximum"),
            )
        except PacelineError as error:
            return Opened(error=error.message)
        statistic.is_changes_based |= request.notification == "ChangesBased"
        return Opened(id=statistic.id)

    def _value(self, statistic: Statistic) -> StatisticValue:
        if statistic.key.category == "CurrentTargetState":
            state = TargetState(agents=self._subscriptions.states(statistic))
            return StatisticValue(id=statistic.id, state=state)
        since = statistic.since if statistic.key.category == "TotalNumber" else None
        return StatisticValue(id=statistic.id, value=statistic.value, since=since)

    def _advance(self, at: str) -> None:
        """Let midnight happen, and tell subscribers before the caller is answered."""
        self._centre.statistics.advance(at)
        self._subscriptions.flush()

    def _user(self, call: Call) -> str:
        """Who has a statistic open: a session, which ends, or a principal over plain HTTP."""
        if call.peer is None:
            return f"http {call.principal.name}"
        session = call.peer.session_id
        if session not in self._sessions:
            self._sessions.add(session)
            call.peer.on_close(lambda: self._session_ended(session))
        return session

    def _session_ended(self, session: str) -> None:
        self._sessions.discard(session)
        self._opened.close_all(session)

    def _now_text(self) -> str:
        """Business time; while older events are still to come, the time of the last one taken."""
        positions = self._centre.positions
        is_behind = not positions.is_live and positions.at
        return positions.at if is_behind else to_text(self._times.business.now())

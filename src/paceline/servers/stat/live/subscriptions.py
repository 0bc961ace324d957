"""Who follows which statistics: first a full notice of each, then every change.

`flush` runs after every batch of events and every change of the configuration, before anything
else can be answered, so that a subscriber's picture and a peek always stand at the same position.
"""

from collections.abc import Iterable, Sequence

from paceline.servers.stat.live.agents import AgentKey
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.statistics import Statistic
from paceline.wire.call import Peer
from paceline.wire.frames import encode
from paceline.wire.operations.statistic import AgentTargetState, StatisticChanges

NOTICE = "statistic.stream"


class Watch:
    """One subscription of one session."""

    def __init__(self, peer: Peer, statistics: Sequence[Statistic]) -> None:
        self.peer = peer
        self.statistics = tuple(statistics)
        self.is_open = False
        self.number = 0


class Subscriptions:
    """All subscriptions of the server."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._watches: dict[int, list[Watch]] = {}
        self._shown: dict[int, set[str]] = {}

    def begin(self, watch: Watch) -> None:
        """Send a full notice of each statistic, and from now on every change."""
        self.flush()
        watch.is_open = True
        position = self._centre.positions.text
        for statistic in watch.statistics:
            statistic.watch_count += 1
            self._watches.setdefault(statistic.id, []).append(watch)
        for statistic in watch.statistics:
            # A reader too slow for it loses the subscription in the middle.
            if watch.is_open:
                self._send([watch], self._whole(statistic, position))

    def end(self, watch: Watch) -> None:
        """Send nothing more; twice is fine."""
        if not watch.is_open:
            return
        watch.is_open = False
        for statistic in watch.statistics:
            statistic.watch_count -= 1
            self._watches[statistic.id].remove(watch)
            if not self._watches[statistic.id]:
                del self._watches[statistic.id]
                self._shown.pop(statistic.id, None)

    def flush(self) -> None:
        """Tell everybody what has changed."""
        centre = self._centre
        position = centre.positions.text
        for statistic in centre.statistics.take_changed():
            changes = StatisticChanges(id=statistic.id, value=statistic.value, position=position)
            self._send(self._watches.get(statistic.id, ()), changes)
        if centre.agents.dirty:
            dirty = sorted(centre.agents.dirty)
            centre.agents.dirty.clear()
            self._tell_agents(dirty, position)

    def regroup(self) -> None:
        """After a change of memberships: tell who is new in a group and who has left it."""
        self.flush()
        statistics = self._centre.statistics
        position = self._centre.positions.text
        for statistic_id, shown in tuple(self._shown.items()):
            statistic = statistics.by_id[statistic_id]
            states = self.states(statistic)
            members = {state.agent for state in states}
            if members != shown:
                changes = StatisticChanges(
                    id=statistic_id,
                    changed=tuple(state for state in states if state.agent not in shown),
                    removed=tuple(sorted(shown - members)),
                    position=position,
                )
                self._shown[statistic_id] = members
                self._send(self._watches.get(statistic_id, ()), changes)

    def states(self, statistic: Statistic) -> tuple[AgentTargetState, ...]:
        """Target states of all logged-in members, by name."""
        agents = self._centre.agents
        tenant = statistic.key.tenant
        names = self._centre.statistics.members(statistic)
        found = (agents.state((tenant, name)) for name in names)
        return tuple(_narrowed(state, statistic) for state in found if state is not None)

    # --- inside ---------------------------------------------------------------------------------

    def _whole(self, statistic: Statistic, position: str) -> StatisticChanges:
        if statistic.key.category != "CurrentTargetState":
            return StatisticChanges(id=statistic.id, value=statistic.value, position=position)
        states = self.states(statistic)
        self._shown[statistic.id] = {state.agent for state in states}
        return StatisticChanges(id=statistic.id, changed=states, position=position)

    def _tell_agents(self, dirty: Iterable[AgentKey], position: str) -> None:
        changed: dict[Statistic, list[AgentTargetState]] = {}
        removed: dict[Statistic, list[str]] = {}
        for key in dirty:
            state = self._centre.agents.state(key)
            for statistic in self._centre.statistics.watched_targets(*key):
                shown = self._shown[statistic.id]
                if state is not None:
                    shown.add(key[1])
                    changed.setdefault(statistic, []).append(_narrowed(state, statistic))
                elif key[1] in shown:
                    shown.discard(key[1])
                    removed.setdefault(statistic, []).append(key[1])
        for statistic in dict.fromkeys([*changed, *removed]):
            changes = StatisticChanges(
                id=statistic.id,
                changed=tuple(changed.get(statistic, ())),
                removed=tuple(removed.get(statistic, ())),
                position=position,
            )
            self._send(self._watches.get(statistic.id, ()), changes)

    def _send(self, watches: Iterable[Watch], changes: StatisticChanges) -> None:
        body = encode(changes)
        for watch in tuple(watches):
            watch.peer.notify_encoded(NOTICE, body, subscription=watch.number)


def _narrowed(state: AgentTargetState, statistic: Statistic) -> AgentTargetState:
    """The state in the statistic's medium alone, where it names one."""
    media = statistic.key.media_type
    if media is None:
        return state
    only = {media: state.media[media]} if media in state.media else {}
    since = only[media].ready_since if only else None
    return AgentTargetState(agent=state.agent, place=state.place, ready_since=since, media=only)

"""The invariant that statistics are the recount of events, on every Stat Server, once all is quiet.

Begun before the faults with totals that stand at some value, judged at the end by what the event log
brought since. Counts from the events alone, with none of the Stat Server's code.
"""

from collections import Counter
from typing import Final

from paceline.model import events
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.times import Times
from paceline.sdk import StatServerClient
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.replay import data_of
from paceline.wire.operations.event import Event
from paceline.wire.operations.statistic import (
    AgentTargetState,
    Definition,
    OpenStatistic,
    Peeked,
    StatisticValue,
)

SAVED_AFTER_S: Final = 5.0
"""Twice the default checkpoint-interval and a little: what was opened is saved by then."""

LONGEST_WAIT_S: Final = 60.0
LOOK_S: Final = 0.5
"""How long a Stat Server may take to be at the end of the log, and how often it is asked (chosen)."""

MASKS: Final = ("CallEntered", "CallAnswered", "CallAbandoned,CallAbandonedFromRinging")
_EVENT_MASKS: Final = {
    events.VIRTUAL_QUEUE_ENTERED: MASKS[0],
    events.VIRTUAL_QUEUE_DISTRIBUTED: MASKS[1],
    events.VIRTUAL_QUEUE_ABANDONED: MASKS[2],
}
CURRENT: Final = "CallWait,CallRinging"

Total = tuple[str, str]
"""Virtual queue and mask."""


class _Base:
    """A Stat Server's totals when the counting began, and the log's event at which they stood."""

    def __init__(self, last_event_id: int, values: dict[Total, StatisticValue]) -> None:
        self.last_event_id = last_event_id
        self.values = values


class StatisticsRecounted:
    """See the module.

    Parameters
    ----------
    clients
        A client of each Stat Server by its name.
    """

    NAME = "statistics are the recount of events"

    def __init__(
        self,
        log: EventLog,
        clients: dict[str, StatServerClient],
        snapshot: ConfigurationSnapshot,
        times: Times,
    ) -> None:
        self._log = log
        self._clients = clients
        self._machine = times.machine
        self._queues = sorted(number for _, number in snapshot.virtual_queues)
        self._agents = sorted(name for _, name in snapshot.agents)
        self._base: dict[str, _Base] = {}
        self._counted: list[tuple[int, Total]] = []
        log.watch(self._watch)

    async def begin(self) -> None:
        """Opens everything and notes where it stands; returns when it is saved.

        Raises
        ------
        PacelineError
            When a Stat Server does not answer.
        """
        for name, client in self._clients.items():
            await self._wait_for_log(name, client)
            self._base[name] = _Base(self._log.replay.last_event_id, await self._totals(client))
        await self._machine.sleep(SAVED_AFTER_S)

    async def check_now(self) -> None:
        """Nothing: while events flow, no two readings are of one position."""

    async def check_at_end(self) -> None:
        """Compares totals, what waits, and every agent's state."""
        for name, client in self._clients.items():
            await self._wait_for_log(name, client)
            totals = await self._totals(client)
            current = await self._current(client)
            agents = await self._states(client)
            if await self._log.catch_up():
                raise InvariantBroken(self.NAME, "it is not quiet: events still come")
            self._compare_totals(name, totals)
            self._compare_current(name, current)
            self._compare_agents(name, agents)

    def _watch(self, event: Event) -> None:
        mask = _EVENT_MASKS.get(event.name)
        if mask is not None:
            number = data_of(event).virtual_queue or ""
            self._counted.append((event.event_id, (number, mask)))

    # --- asking ---------------------------------------------------------------------------------

    async def _wait_for_log(self, name: str, client: StatServerClient) -> None:
        """Until the server has taken the whole log, each event once."""
        until = self._machine.monotonic() + LONGEST_WAIT_S
        while True:
            await self._log.catch_up()
            last = self._log.replay.last_event_id
            position = await client.stat.position()
            taken = max((node.last_event_id for node in position.nodes), default=0)
            if position.is_live and taken == last:
                if position.events != last:
                    raise InvariantBroken(
                        self.NAME, f"{name} has counted {position.events} events of {last}"
                    )
                return
            if self._machine.monotonic() > until:
                raise InvariantBroken(
                    self.NAME,
                    f"{name} is at event {taken} of {last} after {LONGEST_WAIT_S:g} s, "
                    f"{'live' if position.is_live else 'catching up'}",
                )
            await self._machine.sleep(LOOK_S)

    async def _peek(self, client: StatServerClient, wanted: list[OpenStatistic]) -> Peeked:
        opened = (await client.statistic.open(items=tuple(wanted))).items
        refused = [one.error for one in opened if one.id is None]
        if refused:
            raise InvariantBroken(self.NAME, f"a statistic cannot be opened: {refused[0]}")
        return await client.statistic.peek(ids=tuple(one.id or 0 for one in opened))

    async def _totals(self, client: StatServerClient) -> dict[Total, StatisticValue]:
        wanted = [(number, mask) for number in self._queues for mask in MASKS]
        peeked = await self._peek(
            client,
            [_on_queue(number, "TotalNumber", mask, is_total=True) for number, mask in wanted],
        )
        return dict(zip(wanted, peeked.items, strict=True))

    async def _current(self, client: StatServerClient) -> dict[str, float]:
        peeked = await self._peek(
            client,
            [_on_queue(n, "CurrentNumber", CURRENT, is_total=False) for n in self._queues],
        )
        values = [value.value or 0.0 for value in peeked.items]
        return dict(zip(self._queues, values, strict=True))

    async def _states(self, client: StatServerClient) -> dict[str, AgentTargetState]:
        peeked = await self._peek(
            client,
            [
                OpenStatistic(
                    object_kind="Agent",
                    object=name,
                    definition=Definition(category="CurrentTargetState"),
                )
                for name in self._agents
            ],
        )
        states = [s for value in peeked.items if value.state for s in value.state.agents]
        return {state.agent: state for state in states}

    # --- comparing ------------------------------------------------------------------------------

    def _compare_totals(self, server: str, totals: dict[Total, StatisticValue]) -> None:
        base = self._base[server]
        counted = Counter(what for event_id, what in self._counted if event_id > base.last_event_id)
        for what, found in totals.items():
            before = base.values[what]
            if found.since != before.since:
                self._differs(server, what, f"began anew at {found.since}, it was {before.since}")
            counts = (found.value or 0.0) - (before.value or 0.0)
            if counts != counted[what]:
                self._differs(server, what, f"says {counts:g}, the log {counted[what]}")

    def _compare_current(self, server: str, current: dict[str, float]) -> None:
        inside = Counter(told.virtual_queue for told in self._log.replay.interactions.values())
        for number, value in current.items():
            if value != inside[number]:
                self._differs(
                    server, (number, CURRENT), f"says {value:g}, the log {inside[number]}"
                )

    def _compare_agents(self, server: str, states: dict[str, AgentTargetState]) -> None:
        busy: Counter[tuple[str, str]] = Counter()
        for told in self._log.replay.interactions.values():
            for holder in (told.agent or told.ringing, *told.parties):
                if holder is not None:
                    busy[holder, told.media_type] += 1
        told_agents = self._log.replay.agents
        for name in self._agents:
            state = states.get(name)
            agent = told_agents.get(name)
            if (state is None) != (agent is None):
                self._differs(server, (name, "state"), f"says {state}, the log {agent}")
            if state is None or agent is None:
                continue
            media = {
                medium: (is_ready, busy[name, medium]) for medium, is_ready in agent.media.items()
            }
            said = {m: (c.ready, c.current) for m, c in state.media.items() if m in media}
            if said != media:
                self._differs(server, (name, "state"), f"says {said}, the log {media}")

    def _differs(self, server: str, what: tuple[str, str], how: str) -> None:
        raise InvariantBroken(self.NAME, f"{server}: {what[0]} {what[1]} {how}", about=[what[0]])


def _on_queue(number: str, category: str, mask: str, *, is_total: bool) -> OpenStatistic:
    return OpenStatistic(
        object_kind="Queue",
        object=number,
        definition=Definition(category=category, main_mask=mask),  # type: ignore[arg-type]  # a literal
        profile="Ever" if is_total else None,
    )

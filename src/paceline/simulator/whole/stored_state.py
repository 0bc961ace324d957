"""The invariant that state recounted from events is the stored state, row by row.

Reads the store as the Interaction Server does; what changed since the last step each
time, everything now and then and at the end.
"""

from collections.abc import Iterable
from typing import NoReturn

from paceline.model.agent import Agent
from paceline.model.interaction import Row
from paceline.model.party import Party
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.simulator.whole.configuration import DRAWER
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.replay import PRIVATE_QUEUE, ToldAgent, ToldInteraction

STEPS_PER_WHOLE_LOOK = 20
"""Every so many steps all interactions in work are compared, not only those that changed (chosen)."""

KEYS_AT_ONCE = 1000


class StoredState:
    """State recounted from events = stored rows: interactions, their queues, agents."""

    NAME = "state recounted from events is the stored state"

    def __init__(self, log: EventLog, snapshot: ConfigurationSnapshot) -> None:
        self._log = log
        self._facts = log.facts
        self._snapshot = snapshot
        self._steps = 0
        self._names = snapshot.names
        self._numbers = {
            object_id: number for (_, number), (object_id, _) in snapshot.virtual_queues.items()
        }

    async def check_now(self) -> None:
        """What events told since the last step; now and then everything in work."""
        self._steps += 1
        is_whole = self._steps % STEPS_PER_WHOLE_LOOK == 0
        await self._compare(is_whole=is_whole)

    async def check_at_end(self) -> None:
        """Everything, also what is finished."""
        await self._compare(is_whole=True)
        finished = [
            told.interaction_id
            for told in self._log.replay.interactions.values()
            if told.state == "stopped"
        ]
        for start in range(0, len(finished), KEYS_AT_ONCE):
            await self._compare_changed(set(finished[start : start + KEYS_AT_ONCE]))

    async def _compare(self, *, is_whole: bool) -> None:
        await self._log.catch_up()
        changed, self._log.changed = self._log.changed, set()
        agents, self._log.changed_agents = self._log.changed_agents, set()
        if not await self._compare_changed(changed):
            self._log.changed |= changed  # looked at again in the next step
        if is_whole:
            await self._compare_all()
        if (agents or is_whole) and not await self._compare_agents():
            self._log.changed_agents |= agents

    async def _compare_changed(self, ids: Iterable[str]) -> bool:
        """False when something was committed between the readings, so that nothing was judged."""
        keys = sorted(ids)
        if not keys:
            return True
        hot = await self._facts.in_work(keys)
        finished = await self._facts.finished(keys)
        if await self._log.catch_up():
            return False
        for key in keys:
            told = self._log.replay.interactions[key]
            row = hot.get(key)
            if (told.state == "stopped") != (key in finished) or (row is None) != (key in finished):
                where = "finished" if key in finished else "in work" if row is not None else "lost"
                self._broken(key, f"events say {told.state}, the store says {where}")
            if row is not None:
                self._compare_row(told, row)
        return True

    async def _compare_all(self) -> None:
        """All in work by key; and each queue's count, which shows what no event tells of."""
        replay = self._log.replay
        told = [one for one in replay.interactions.values() if one.state != "stopped"]
        rows = await self._facts.in_work(one.interaction_id for one in told)
        depths = await self._facts.depths()
        parties = await self._facts.parties()
        if await self._log.catch_up():
            return
        for one in told:
            row = rows.get(one.interaction_id)
            if row is None:
                self._broken(one.interaction_id, f"events say {one.state}, it is not in work")
            else:
                self._compare_row(one, row)
            self._compare_parties(one, parties.get(one.interaction_id, ()))
        for (_, queue), queue_id in self._snapshot.queues.items():
            depth = depths.get(queue_id, 0)
            if queue == DRAWER:  # what snapshots lock is not counted, and no event tells of locks
                continue
            if depth != replay.depth(queue):
                self._broken(queue, f"events say {replay.depth(queue)} wait, the store {depth}")

    def _compare_row(self, told: ToldInteraction, row: Row) -> None:
        name = self._names.get
        queue = name(row.queue_id)
        events_say = (
            told.state,
            told.queue,
            told.queue_seq,
            told.agent or told.ringing,
            told.ticket,
            told.virtual_queue,
            told.is_abandoned,
            told.is_held,
            told.priority,
            told.scheduled_at,
            told.workbin,
        )
        store_says = (
            ("queued", "cached", "routing", "handling")[row.state],
            queue if row.workbin_id != row.queue_id else f"{queue}{PRIVATE_QUEUE}",
            row.queue_seq,
            name(row.agent_id or 0),
            row.ticket,
            self._numbers.get(row.virtual_queue_id or 0),
            row.abandoned_at is not None,
            row.is_held,
            row.priority,
            row.scheduled_at,
            None
            if row.workbin_id is None
            else (name(row.workbin_id), name(row.workbin_owner_id or 0)),
        )
        if events_say != store_says:
            self._broken(told.interaction_id, f"events say {events_say}, the store {store_says}")

    def _compare_parties(self, told: ToldInteraction, stored: Iterable[Party]) -> None:
        all_told = [*told.parties.values(), *([told.asked] if told.asked is not None else [])]
        events_say = sorted((p.agent, p.role, p.visibility, p.ticket) for p in all_told)
        store_says = sorted(
            (self._names.get(p.agent_id, ""), p.role, p.visibility, p.ticket) for p in stored
        )
        if events_say != store_says:
            self._broken(told.interaction_id, f"events say {events_say}, the store {store_says}")

    async def _compare_agents(self) -> bool:
        stored = await self._facts.agents(self._names)
        if await self._log.catch_up():
            return False
        told = self._log.replay.agents
        for name in sorted(stored.keys() | told.keys()):
            events_say = _of_told(told.get(name))
            store_says = _of_stored(stored.get(name), self._names)
            if events_say != store_says:
                self._broken(name, f"events say {events_say}, the store {store_says}")
        return True

    def _broken(self, about: str, what: str) -> NoReturn:
        raise InvariantBroken(self.NAME, f"{about}: {what}", about=[about])


def _of_told(agent: ToldAgent | None) -> tuple[object, ...] | None:
    if agent is None:
        return None
    media = {medium: (agent.media[medium], agent.reasons.get(medium)) for medium in agent.media}
    return agent.place, agent.session_id, agent.is_disturbed, dict(sorted(media.items()))


def _of_stored(agent: Agent | None, names: dict[int, str]) -> tuple[object, ...] | None:
    if agent is None:
        return None
    media = {medium: (one.ready, one.reason) for medium, one in sorted(agent.media.items())}
    return names.get(agent.place_id or 0), agent.session_id, agent.do_not_disturb, media

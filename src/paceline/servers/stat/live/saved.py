"""Between memory and checkpoint: what changed since the last one, and what a stored one brings back.

Called by tasks/save_checkpoints and at start. Gathering never waits, so that all parts of a
checkpoint belong to one position.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from paceline.model.instant import to_millis, to_text
from paceline.servers.stat.live.agents import AgentRecord
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.interactions import OpenInteraction
from paceline.servers.stat.live.statistics import Statistic
from paceline.servers.stat.rules.definitions import key_of
from paceline.servers.stat.store.checkpoint import Checkpoint, Rows
from paceline.units.quantities import Millis

_encode = msgspec.json.Encoder().encode


def gather(centre: Centre) -> Checkpoint:
    """What changed since the last call; from now on it counts as saved."""
    statistics, agents, positions = centre.statistics, centre.agents, centre.positions
    totals = [
        _total_row(statistic) for statistic in sorted(statistics.unsaved, key=lambda one: one.id)
    ]
    gone = sorted(statistics.dropped)
    touched, seats = sorted(centre.unsaved), sorted(agents.unsaved)
    for unsaved in (statistics.unsaved, statistics.dropped, centre.unsaved, agents.unsaved):
        unsaved.clear()
    kept = ((key, centre.interactions.get(key)) for key in touched)
    sessions = ((key, agents.by_key.get(key)) for key in seats)
    return Checkpoint(
        nodes=[
            (node, last, positions.taken[node]) for node, last in positions.last_event_id.items()
        ],
        sources=list(positions.of_source.items()),
        totals=totals,
        gone_totals=gone,
        interactions=[(*key, _json(found)) for key, found in kept if found is not None],
        touched_interactions=touched,
        agents=[
            (*key, _json(agent.record))
            for key, agent in sessions
            if agent is not None and agent.record is not None
        ],
        touched_agents=seats,
    )


def put_back(centre: Centre, checkpoint: Checkpoint) -> None:
    """What a checkpoint that could not be written held goes into the next one."""
    by_id = centre.statistics.by_id
    for row in checkpoint.totals:
        found = by_id.get(_integer(row[1]))
        if found is not None:
            centre.statistics.unsaved.add(found)
    centre.statistics.dropped.update(_pairs(checkpoint.gone_totals))
    centre.unsaved.update(_pairs(checkpoint.touched_interactions))
    centre.agents.unsaved.update(_pairs(checkpoint.touched_agents))


def restore(centre: Centre, checkpoint: Checkpoint, now: Millis) -> None:
    """Fill an empty centre with what is stored; nothing of it counts as changed."""
    positions = centre.positions
    for node, last, count in checkpoint.nodes:
        positions.last_event_id[_integer(node)] = _integer(last)
        positions.taken[_integer(node)] = _integer(count)
    positions.of_source.update((str(name), str(place)) for name, place in checkpoint.sources)
    for tenant, agent, state in checkpoint.agents:
        record = msgspec.json.decode(str(state), type=AgentRecord)
        centre.agents.restore((_integer(tenant), str(agent)), record)
    at = to_text(now)
    for _, _, state in checkpoint.interactions:
        centre.restore(msgspec.json.decode(str(state), type=OpenInteraction), at)
    for agent in centre.agents.by_key.values():
        agent.refresh(at)
    for _, _, definition, value, since in checkpoint.totals:
        statistic = Statistic(
            key_of(str(definition)),
            value=_integer(value),
            since=to_text(_integer(since)),
            used_at=now,
        )
        centre.statistics.add(statistic)
    for unsaved in (centre.statistics.unsaved, centre.unsaved, centre.agents.unsaved):
        unsaved.clear()


def _total_row(statistic: Statistic) -> tuple[object, ...]:
    key = statistic.key
    since = to_millis(statistic.since, field="since")
    return key.tenant, statistic.id, key.text, statistic.value, since


def _json(state: msgspec.Struct) -> str:
    return _encode(state).decode()


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _pairs(rows: Rows) -> Iterable[tuple[Any, Any]]:
    return ((row[0], row[1]) for row in rows)

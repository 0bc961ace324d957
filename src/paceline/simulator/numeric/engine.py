"""What happens in a contact centre between two pacing cycles, event by event, compiled.

Called by world.py once per cycle for all replications. Invitations, their answers, reactive customers,
waiting, leaving, agents who take the longest waiting interaction they can reach.
"""

from math import exp, inf
from typing import Final

from paceline.simulator.numeric import events
from paceline.simulator.numeric.arrays import (
    NOBODY,
    PATIENCE,
    RESPONSE,
    TALK,
    WRAP,
    Arrays,
    Counts,
)
from paceline.simulator.numeric.compiled import compiled
from paceline.simulator.numeric.draws import draw, poisson, thinned, uniform

PROACTIVE: Final = 0
REACTIVE: Final = 1
GONE: Final = 2
"""Kinds of a waiting interaction; GONE has left silently and still looks as if it waited."""

_ACCEPT, _REFUSE, _ARRIVE = events.ACCEPT, events.REFUSE, events.ARRIVE
_LEAVE, _FREE = events.LEAVE, events.FREE
_pack, _pop, _push = events.packed, events.pop, events.push
_kind, _index, _extra = events.kind_of, events.index_of, events.extra_of


@compiled
def _plan(a: Arrays, site: int, at: float, event: int) -> None:
    """Put an event into the site's heap."""
    sites = a.sites
    first, size = sites.heap_first[site], sites.heap_size[site]
    if first + size >= sites.heap_first[site + 1]:
        sites.is_full[site] = True
        return
    _push(a.heap_times, a.heap_events, first, size, at, event)
    sites.heap_size[site] = size + 1


@compiled
def _send(a: Arrays, site: int, target: int, at: float) -> None:
    """Show one invitation; what becomes of it is decided now."""
    t, words = a.targets, a.words
    t.pending[target] += 1
    t.sent[target] += 1
    delay = min(draw(words, site, a.laws[target, RESPONSE], a.tables), t.timeout_s[target])
    if uniform(words, site) < t.acceptance[target]:
        _plan(a, site, at + delay, _pack(_ACCEPT, target, 0))
    elif uniform(words, site) < t.decline_share[target]:
        _plan(a, site, at + delay, _pack(_REFUSE, target, 0))
    else:
        _plan(a, site, at + t.timeout_s[target], _pack(_REFUSE, target, 0))


@compiled
def _invite(a: Arrays, site: int, target: int, permits: int, start: float, period: float) -> None:
    """Use a cycle's permits on the visitors there are."""
    t, words = a.targets, a.words
    wanted = min(permits, t.most_pending[target] - t.pending[target])
    at_once, later, came = wanted, 0, 0
    if t.visitors_per_s[target] < inf:
        at_once = min(wanted, t.visitors[target])
        came = poisson(words, site, t.visitors_per_s[target] * period)
        later = min(wanted - at_once, came)
        rest = t.visitors[target] - at_once + came - later
        t.visitors[target] = thinned(words, site, rest, exp(-period / t.visit_s[target]))
    for _ in range(at_once):
        delay = uniform(words, site) * period if t.is_spread[target] else 0.0
        _send(a, site, target, start + delay)
    for _ in range(later):
        _send(a, site, target, start + uniform(words, site) * period)


@compiled
def _expect_reactive(a: Arrays, site: int, target: int, start: float, period: float) -> None:
    """Plan a cycle's reactive customers: a Poisson number at uniform times."""
    rate = a.targets.reactive_rate[target]
    if rate > 0.0:
        for _ in range(poisson(a.words, site, rate * period)):
            at = start + uniform(a.words, site) * period
            _plan(a, site, at, _pack(_ARRIVE, target, 0))


@compiled
def _pool_with_room(a: Arrays, site: int, target: int) -> int:
    """The pool that takes the target's next interaction: of those with room, the one fewest targets reach."""
    p = a.pools
    best = NOBODY
    first = a.sites.pool_first[site]
    for pool in range(first, a.sites.pool_first[site + 1]):
        is_better = best == NOBODY or p.reached_by[pool] < p.reached_by[best]
        has_room = p.staying[pool] < p.logged_in[pool] * p.slots[pool]
        if is_better and has_room and a.reaches[target, pool - first]:
            best = pool
    return best


@compiled
def _seat(a: Arrays, site: int, pool: int, target: int, kind: int, now: float) -> None:
    """Give an interaction to the least loaded agent of a pool that has room."""
    p, t = a.pools, a.targets
    first = p.agent_first[pool]
    agent = first
    for other in range(first, first + p.logged_in[pool]):
        if a.agents.load[other] < a.agents.load[agent]:
            agent = other
        if a.agents.load[agent] == 0:
            break
    a.agents.load[agent] += 1
    p.in_use[pool] += 1
    p.staying[pool] += 1
    if a.agents.load[agent] == 1:
        p.busy_people[pool] += 1
    words, tables = a.words, a.tables
    if kind == GONE:
        lasts = t.silent_s[target]
    else:
        lasts = draw(words, site, a.laws[target, TALK], tables) + draw(
            words, site, a.laws[target, WRAP], tables
        )
    _plan(a, site, now + lasts, _pack(_FREE, agent, target))


@compiled
def _enter(a: Arrays, site: int, target: int, kind: int, now: float) -> None:
    """An interaction comes: to an agent at once, or into the queue until its patience ends."""
    pool = _pool_with_room(a, site, target)
    if pool != NOBODY:
        _seat(a, site, pool, target, kind, now)
        return
    t, w = a.targets, a.places
    place = a.sites.free_place[site]
    if place == NOBODY:
        a.sites.is_full[site] = True
        return
    a.sites.free_place[site] = w.next[place]
    w.since[place] = now
    w.target[place] = target
    w.kind[place] = kind
    w.next[place] = NOBODY
    w.previous[place] = t.tail[target]
    if t.tail[target] == NOBODY:
        t.head[target] = place
    else:
        w.next[t.tail[target]] = place
    t.tail[target] = place
    t.waiting[target] += 1
    leaves = now + draw(a.words, site, a.laws[target, PATIENCE], a.tables)
    _plan(a, site, leaves, _pack(_LEAVE, place, w.turn[place]))


@compiled
def _give_up(a: Arrays, site: int, place: int) -> None:
    """Take an interaction out of its queue and free its place."""
    t, w = a.targets, a.places
    target = w.target[place]
    before, after = w.previous[place], w.next[place]
    if before == NOBODY:
        t.head[target] = after
    else:
        w.next[before] = after
    if after == NOBODY:
        t.tail[target] = before
    else:
        w.previous[after] = before
    t.waiting[target] -= 1
    w.turn[place] += 1
    w.next[place] = a.sites.free_place[site]
    a.sites.free_place[site] = place


@compiled
def _seat_waiting(a: Arrays, site: int, pool: int, now: float) -> None:
    """Fill a pool's free slots with the longest waiting interactions that reach it."""
    p, t, w = a.pools, a.targets, a.places
    column = pool - a.sites.pool_first[site]
    while p.staying[pool] < p.logged_in[pool] * p.slots[pool]:
        oldest = NOBODY
        for target in range(a.sites.target_first[site], a.sites.target_first[site + 1]):
            place = t.head[target]
            if place == NOBODY or not a.reaches[target, column]:
                continue
            if oldest == NOBODY or w.since[place] < w.since[oldest]:
                oldest = place
        if oldest == NOBODY:
            return
        target, kind = w.target[oldest], w.kind[oldest]
        _give_up(a, site, oldest)
        _seat(a, site, pool, target, kind, now)


@compiled
def _leave(a: Arrays, site: int, place: int) -> None:
    """A waiting customer has had enough: goes, or goes silently and stays in the queue."""
    t, w = a.targets, a.places
    target, kind = w.target[place], w.kind[place]
    share = t.silent_share[target]
    if share > 0.0 and uniform(a.words, site) < share:
        w.kind[place] = GONE
        if kind == PROACTIVE:
            t.silent[target] += 1
        return
    _give_up(a, site, place)
    if kind == PROACTIVE:
        t.abandoned[target] += 1
    else:
        t.reactive_abandoned[target] += 1


@compiled
def _release(a: Arrays, site: int, agent: int, target: int, now: float) -> None:
    """A slot is free again: the agent takes who waits, or goes home if the shift is over."""
    p = a.pools
    pool = a.agents.pool[agent]
    a.agents.load[agent] -= 1
    p.in_use[pool] -= 1
    if a.agents.load[agent] == 0:
        p.busy_people[pool] -= 1
    a.targets.served[target] += 1
    p.served[pool] += 1
    if agent - p.agent_first[pool] < p.logged_in[pool]:
        p.staying[pool] -= 1
        _seat_waiting(a, site, pool, now)
    elif a.agents.load[agent] == 0:
        p.present[pool] -= 1


@compiled
def _let_pass(a: Arrays, site: int, now: float) -> None:
    """Add the time since the last event to the sums."""
    p, t = a.pools, a.targets
    passed = now - a.sites.clock[site]
    a.sites.clock[site] = now
    for pool in range(a.sites.pool_first[site], a.sites.pool_first[site + 1]):
        p.in_use_s[pool] += passed * p.in_use[pool]
        p.busy_people_s[pool] += passed * p.busy_people[pool]
        p.present_s[pool] += passed * p.present[pool]
        p.slot_s[pool] += passed * p.present[pool] * p.slots[pool]
    for target in range(a.sites.target_first[site], a.sites.target_first[site + 1]):
        t.waiting_s[target] += passed * t.waiting[target]


@compiled
def _happen(a: Arrays, site: int, event: int, now: float) -> None:
    """One event."""
    t = a.targets
    kind, index = _kind(event), _index(event)
    if kind == _ACCEPT:
        t.pending[index] -= 1
        t.resolved[index] += 1
        t.accepted[index] += 1
        _enter(a, site, index, PROACTIVE, now)
    elif kind == _REFUSE:
        t.pending[index] -= 1
        t.resolved[index] += 1
    elif kind == _ARRIVE:
        t.reactive_arrived[index] += 1
        _enter(a, site, index, REACTIVE, now)
    elif kind == _FREE:
        _release(a, site, index, _extra(event), now)
    elif a.places.turn[index] == _extra(event):
        _leave(a, site, index)


@compiled
def pass_cycle(a: Arrays, permits: Counts, start: float, period: float) -> None:
    """Let one cycle pass in every replication; `permits` has one count per target."""
    sites = a.sites
    end = start + period
    for site in range(a.words.shape[0]):
        for pool in range(sites.pool_first[site], sites.pool_first[site + 1]):
            _seat_waiting(a, site, pool, start)  # agents may have come since the last cycle
        for target in range(sites.target_first[site], sites.target_first[site + 1]):
            _invite(a, site, target, permits[target], start, period)
            _expect_reactive(a, site, target, start, period)
        first = sites.heap_first[site]
        while sites.heap_size[site] > 0 and a.heap_times[first] < end:
            now, event = a.heap_times[first], a.heap_events[first]
            _pop(a.heap_times, a.heap_events, first, sites.heap_size[site])
            sites.heap_size[site] -= 1
            _let_pass(a, site, now)
            _happen(a, site, event, now)
        _let_pass(a, site, end)

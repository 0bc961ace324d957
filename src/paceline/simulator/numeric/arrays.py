"""All that the engine knows, as plain arrays: targets, agent pools, waiting interactions, replications.

Made and read by world.py, changed by engine.py. A replication ("site") owns a stretch of each array:
`…_first[site]` to `…_first[site + 1]`.
"""

from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOBODY: Final = -1
"""No waiting place, at an end of a queue."""

T = TypeVar("T")

_KINDS: Final[dict[Any, str]] = {Array: "f8", Counts: "i8", Flags: "?"}


class Targets:
    """One entry per pacing target."""

    acceptance: Array
    decline_share: Array  # of those who do not accept; the others let the invitation expire
    timeout_s: Array  # life of an invitation
    is_spread: Flags  # invitations go out over the cycle, not all at its start
    most_pending: Counts  # visitors on the page who can be invited at once
    visitors_per_s: Array  # infinite = there is always somebody to invite
    visit_s: Array
    silent_share: Array  # of those who give up waiting: they do not say so
    silent_s: Array  # what an agent spends on one who has gone silently
    reactive_rate: Array
    visitors: Counts  # present and not invited, where they are counted
    pending: Counts
    sent: Counts
    resolved: Counts
    accepted: Counts
    abandoned: Counts
    silent: Counts  # proactive visitors who left silently
    reactive_arrived: Counts
    reactive_abandoned: Counts
    served: Counts
    waiting: Counts
    waiting_s: Array
    head: Counts  # first waiting place of the queue
    tail: Counts


class Pools:
    """One entry per agent pool."""

    agent_first: Counts
    agent_last: Counts  # one behind its last agent
    reached_by: Counts  # targets that reach it
    slots: Counts
    logged_in: Counts  # agents who work on: those numbered below it
    present: Counts  # the same and those who leave once their customers are gone
    busy_people: Counts
    in_use: Counts  # slots
    staying: Counts  # of these, slots of agents who work on
    served: Counts
    in_use_s: Array
    slot_s: Array  # slots present × seconds
    busy_people_s: Array
    present_s: Array


class Agents:
    """One entry per agent."""

    pool: Counts
    load: Counts  # slots in use


class Places:
    """Waiting interactions: doubly linked queues, and a list of free places through `next`."""

    next: Counts
    previous: Counts
    since: Array
    target: Counts
    kind: Counts
    turn: Counts  # grows when the place is given up, so that an old LEAVE event is known


class Sites:
    """One entry per replication, and one more that says where the last one ends."""

    target_first: Counts
    pool_first: Counts
    heap_first: Counts
    free_place: Counts
    heap_size: Counts
    clock: Array
    is_full: Flags


class Arrays(NamedTuple):
    """Everything."""

    targets: Targets
    pools: Pools
    agents: Agents
    places: Places
    sites: Sites
    laws: Array  # (n, 4, 3): the rows RESPONSE … of each target, see draws.py
    reaches: Flags  # (n, most pools of a site)
    heap_times: Array
    heap_events: Counts
    words: NDArray[np.uint64]  # (sites, 4)
    tables: Array


RESPONSE: Final = 0
TALK: Final = 1
WRAP: Final = 2
PATIENCE: Final = 3


def table(kind: type[T], size: int, **columns: Any) -> T:
    """`size` entries of a kind above as one structured array, zero where no column says otherwise.

    One array instead of one per field: compiled code passes and counts it once.
    """
    fields = [(name, _KINDS[hint]) for name, hint in kind.__annotations__.items()]
    entries = np.zeros(size, dtype=np.dtype(fields, align=True))
    for name, values in columns.items():
        entries[name] = values
    return cast(T, entries.view(np.recarray))

"""Interactions that wait for an agent, in order, in lines of those with the same agent groups.

Kept by tasks/dispatch. The credit bounds the whole, so that sorted lists are fast enough.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from paceline.servers.router.rules.choose_queue import PacingKeys

OrderKey = tuple[int, str, int]
"""Minus priority, received_at, sequence; for a view with an order of its own 0, "", place as pulled."""


@dataclass(slots=True, eq=False)
class Held:
    """An interaction the router has pulled. `agent`: to whom it is offered now."""

    interaction_id: str
    tenant: int
    strategy: str
    view: str
    media_type: str
    order: OrderKey
    keys: PacingKeys
    virtual_queue: str = ""
    entered_at: int = 0
    groups: frozenset[str] = frozenset()
    agent: str | None = None
    is_waiting: bool = False
    refused_by: set[str] = field(default_factory=set)


Entry = tuple[OrderKey, str]
Place = tuple[int, str]
"""Tenant and medium."""


class WaitingRoom:
    """Who waits, by tenant, medium and agent groups."""

    def __init__(self) -> None:
        self._lines: dict[Place, dict[frozenset[str], list[Entry]]] = {}
        self._waiting: dict[str, Held] = {}

    def add(self, held: Held) -> None:
        """It waits from now, at its place in the order."""
        lines = self._lines.setdefault((held.tenant, held.media_type), {})
        insort(lines.setdefault(held.groups, []), (held.order, held.interaction_id))
        self._waiting[held.interaction_id] = held
        held.is_waiting = True

    def remove(self, held: Held) -> None:
        """It waits no longer; twice is fine."""
        if not held.is_waiting:
            return
        held.is_waiting = False
        del self._waiting[held.interaction_id]
        lines = self._lines[held.tenant, held.media_type]
        line = lines[held.groups]
        del line[bisect_left(line, (held.order, held.interaction_id))]
        if not line:
            del lines[held.groups]

    def first_for(self, place: Place, groups: set[str], agent: str) -> Held | None:
        """The first in order that may be offered to a member of these groups."""
        heads = []
        for served, line in self._lines.get(place, {}).items():
            if not served.isdisjoint(groups):
                able = (e for e in line if agent not in self._waiting[e[1]].refused_by)
                heads.append(next(able, None))
        best = min((head for head in heads if head is not None), default=None)
        return None if best is None else self._waiting[best[1]]

    def clear(self) -> None:
        """Nobody waits."""
        for held in self._waiting.values():
            held.is_waiting = False
        self._waiting.clear()
        self._lines.clear()

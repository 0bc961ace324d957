"""Which interactions are being handled or routed, since when, and how long they may be.

NodeState.settle tells it what was committed; tasks/timers ends what takes too long. Memory only: a
restart begins the times of handled ones anew, those of routed ones at their pull.
"""

from collections.abc import Callable, Iterable

import msgspec

from paceline.model.interaction import InteractionState, Row
from paceline.servers.interaction.live.deadlines import Deadlines, Group, Key
from paceline.servers.interaction.live.pending import Pending
from paceline.servers.interaction.rules.media_types import minutes

HANDLING_TIMEOUT = "handling-timeout"
"""Documented user data key and option."""

_ROUTING = int(InteractionState.ROUTING)
_HANDLING = int(InteractionState.HANDLING)
_ROUTED = 0
"""All routed ones are one group: one length for all."""

_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_number = msgspec.json.Decoder(int | str, strict=False)


class RunningTimes:
    """Times of handling (by user data's minutes, else by tenant and media type) and of routing."""

    def __init__(self) -> None:
        self.handling = Deadlines()
        self.routing = Deadlines()

    def settle(self, done: Pending, now: int, data_of: Callable[[Key], str]) -> None:
        """Follows what a batch has changed."""
        routing, handling = self.routing.groups, self.handling.groups
        for key, row in done.updated.items():
            if row.state or key in routing or key in handling:
                self.follow(row, now, data_of)
        for row in done.inserted.values():
            if row.state:
                self.follow(row, now, data_of)
        for key in done.finished:
            if key in routing:
                self.routing.end(key)
            elif key in handling:
                self.handling.end(key)
        for key, text in done.changed_data.items():
            if key in handling and (value := own_minutes(text)) is not None:
                self.handling.begin(key, value, now)

    def restore(
        self, handled: Iterable[Row], unheld: Iterable[Row], now: int, data_of: Callable[[Key], str]
    ) -> None:
        """Takes what a start finds in the database; `unheld` are in routing, the longest there first."""
        for row in handled:
            if row.state == _HANDLING:
                self.follow(row, now, data_of)
        for row in unheld:
            if not row.ticket:
                self.routing.begin(row.key, _ROUTED, row.assigned_at or now)

    def follow(self, row: Row, now: int, data_of: Callable[[Key], str]) -> None:
        """One interaction as it is now."""
        key = row.key
        if row.state == _HANDLING:
            self.routing.end(key)
            if key not in self.handling.groups:
                value = own_minutes(data_of(key))
                group: Group = (row.tenant_id, row.media_type) if value is None else value
                self.handling.begin(key, group, now)
            return
        if key in self.handling.groups:
            self.handling.end(key)
        if row.state == _ROUTING and not row.ticket:
            self.routing.begin(key, _ROUTED, now)
        else:
            self.routing.end(key)


def own_minutes(user_data: str) -> int | None:
    """The handling-timeout that the interaction itself carries."""
    if HANDLING_TIMEOUT not in user_data:
        return None
    value = _top_level.decode(user_data).get(HANDLING_TIMEOUT)
    try:
        return None if value is None else minutes(_number.decode(value))
    except msgspec.ValidationError:
        return None

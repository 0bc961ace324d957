"""Subscribed windows of the target list: the window first, then what changes in it each cycle."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.servers.pacing.live.picture import CycleView, Picture
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operations.pacing import (
    StreamTargets,
    TargetRow,
    TargetsNotice,
    TargetsSubscribed,
)

MOST_ROWS = 1000
"""Largest window (INTERFACES: lists)."""

_ALWAYS = frozenset(item.name for item in msgspec.structs.fields(TargetRow) if item.required)
_NAMES = tuple(item.name for item in msgspec.structs.fields(TargetRow))


@dataclass(slots=True)
class _Window:
    peer: Peer
    request: StreamTargets
    number: int
    shown: dict[str, TargetRow] = field(default_factory=dict)


class TargetStream:
    """All subscriptions of this server."""

    def __init__(self, picture: Picture, tasks: TaskGroup, machine: MachineTime) -> None:
        self._picture = picture
        self._tasks = tasks
        self._machine = machine
        self._windows: dict[tuple[str, int], _Window] = {}

    @property
    def handlers(self) -> Handlers:
        """Operations of this module."""
        return {"target.stream": self.stream}

    async def stream(self, call: Call, request: StreamTargets) -> TargetsSubscribed:
        """Subscribe; the window follows the answer."""
        peer = call.needs_peer("target.stream")
        _check(request)
        key: list[tuple[str, int]] = []
        number = peer.open_subscription(lambda: self._forget(key))
        key.append((peer.session_id, number))
        window = _Window(peer, request, number)
        self._windows[key[0]] = window
        self._tasks.start("first window", self._first(window))
        last = self._picture.last
        return TargetsSubscribed(subscription=number, sequence=last.sequence if last else 0)

    def publish(self, view: CycleView) -> None:
        """Tell every window what the cycle changed in it."""
        for window in tuple(self._windows.values()):
            self._tell(window, view, is_first=False)

    def _forget(self, key: list[tuple[str, int]]) -> None:
        for one in key:
            self._windows.pop(one, None)

    async def _first(self, window: _Window) -> None:
        await self._machine.sleep(0)  # the answer goes out before the first notice
        if self._picture.last is not None and not window.shown:
            self._tell(window, self._picture.last, is_first=True)

    def _tell(self, window: _Window, view: CycleView, *, is_first: bool) -> None:
        rows, total = _window_of(view.rows, window.request)
        now = {row.name: row for row in rows}
        changed = tuple(row for row in rows if window.shown.get(row.name) != row)
        removed = tuple(name for name in window.shown if name not in now)
        window.shown = now
        if changed or removed or is_first:
            notice = TargetsNotice(
                items=changed,
                removed=removed,
                total=total,
                epoch=view.epoch,
                sequence=view.sequence,
            )
            window.peer.notify("target.stream", notice, subscription=window.number)


def _check(request: StreamTargets) -> None:
    if request.sort.lstrip("-") not in _NAMES:
        raise PacelineError(
            "invalid_attribute", f"sort is one of {', '.join(_NAMES)}, '-' first: falling",
            field="sort",
        )  # fmt: skip
    unknown = [name for name in request.fields if name not in _NAMES]
    if unknown:
        raise PacelineError(
            "invalid_attribute", f"'{unknown[0]}' is no field of a target", field="fields"
        )
    if request.first < 0 or not 1 <= request.count <= MOST_ROWS:
        raise PacelineError(
            "invalid_attribute", f"count is from 1 to {MOST_ROWS}, first at least 0", field="count"
        )


def _window_of(rows: tuple[TargetRow, ...], request: StreamTargets) -> tuple[list[TargetRow], int]:
    """The rows of a window in its order, and how many match in all."""
    wanted = request.filter.casefold()
    found = [row for row in rows if wanted in row.name.casefold()]
    key = request.sort.lstrip("-")
    found.sort(key=_order(key), reverse=request.sort.startswith("-"))
    window = found[request.first : request.first + request.count]
    return [_only(row, request.fields) for row in window], len(found)


def _order(key: str) -> Callable[[TargetRow], tuple[bool, object]]:
    def value(row: TargetRow) -> tuple[bool, object]:
        found = getattr(row, key)
        return found is not None, 0 if found is None else found

    return value


def _only(row: TargetRow, fields: tuple[str, ...]) -> TargetRow:
    """The row without the fields that were not asked for; those every row has stay."""
    if not fields:
        return row
    keep = _ALWAYS.union(fields)
    values = {name: getattr(row, name) for name in _NAMES if name in keep}
    return TargetRow(**values)

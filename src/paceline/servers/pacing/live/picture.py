"""The picture of the last cycles, as requests show it: rows, details, history.

Written by the cycle, read by requests and the stream. Memory is bounded: the more targets, the
fewer cycles of history.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paceline.model.instant import to_text
from paceline.model.target import PacingTarget
from paceline.pacer import PermitReason
from paceline.servers.pacing.live.decision import Decision
from paceline.servers.pacing.rules.reasons import reason_name, reason_text
from paceline.units.quantities import Millis
from paceline.wire.operations.pacing import HistoryRow, TargetRow

HISTORY_CELLS = 2_000_000
"""Targets × cycles kept (chosen: about 50 MB); an hour at 5 s is 720 cycles."""
MOST_CYCLES, FEWEST_CYCLES = 720, 12

HISTORY_FIELDS = ("ready", "busy", "waiting", "pending")


def known(value: float) -> float | None:
    """A number for people: None where it is unknown."""
    return None if np.isnan(value) else float(value)


def rows_of(decision: Decision, stopped: Collection[str]) -> tuple[TargetRow, ...]:
    """All targets by name, misconfigured ones among them with no permits."""
    sound = [
        _row(decision, place, target, stopped) for place, target in enumerate(decision.targets)
    ]
    wrong = [_misconfigured(target, stopped) for target in decision.misconfigured]
    return tuple(sorted(sound + wrong, key=lambda row: row.name))


def _row(
    decision: Decision, place: int, target: PacingTarget, stopped: Collection[str]
) -> TargetRow:
    number = numbers_at(decision.inputs, place)
    told = numbers_at(decision.diagnostics, place)
    reason = PermitReason(int(decision.reasons[place]))
    forecast = told.get("abandonment_forecast")
    abandoned_share = _share(number.get("abandoned"), number.get("answered"))
    return TargetRow(
        name=target.name,
        virtual_queue=target.virtual_queue,
        media_type=target.media_type,
        agent_groups=target.agent_groups,
        permits=int(decision.permits[place]),
        reason=reason_name(reason),
        reason_text=reason_text(reason, decision.details.get(target.name, "")),
        goal_percent=target.goal_percent,
        abandonment_percent=None if abandoned_share is None else 100.0 * abandoned_share,
        ready=number.get("ready"),
        busy=number.get("busy"),
        waiting=number.get("waiting"),
        pending=number.get("pending"),
        accepted=number.get("accepted"),
        abandoned=number.get("abandoned"),
        utilization=_share(number.get("busy"), number.get("ready")),
        acceptance=told.get("acceptance"),
        forecast_abandonment_percent=None if forecast is None else 100.0 * forecast,
        is_stopped=target.name in stopped,
    )


def _misconfigured(target: PacingTarget, stopped: Collection[str]) -> TargetRow:
    reason = PermitReason.MISCONFIGURED
    return TargetRow(
        name=target.name,
        virtual_queue=target.virtual_queue,
        media_type=target.media_type,
        agent_groups=target.agent_groups,
        permits=0,
        reason=reason_name(reason),
        reason_text=reason_text(reason, target.mistake),
        goal_percent=target.goal_percent,
        is_stopped=target.name in stopped,
    )


def numbers_at(arrays: Mapping[str, NDArray[np.float64]], place: int) -> dict[str, float | None]:
    """The numbers of one target out of arrays; pools' are left out, they are no target's."""
    return {
        name: known(values[place])
        for name, values in arrays.items()
        if not name.startswith("pool_")
    }


def _share(part: float | None, rest: float | None) -> float | None:
    if part is None or rest is None or part + rest <= 0.0:
        return None
    return part / (part + rest)


@dataclass(frozen=True)
class CycleView:
    """One cycle's decision with the report that carried it; `rows` by name."""

    decision: Decision
    rows: tuple[TargetRow, ...]
    at: Millis
    epoch: int
    sequence: int

    @cached_property
    def by_name(self) -> Mapping[str, TargetRow]:
        """Rows by the target's name."""
        return {row.name: row for row in self.rows}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where a sound target stands in the arrays."""
        return {target.name: place for place, target in enumerate(self.decision.targets)}

    def after(self, name: str) -> int:
        """Number of rows up to and with this name, for continuing a list."""
        return bisect_right(self.rows, name, key=lambda row: row.name)

    def inputs(self, name: str) -> dict[str, float | None]:
        """Inputs of a target; none when it is misconfigured."""
        place = self.places.get(name)
        return {} if place is None else numbers_at(self.decision.inputs, place)

    def diagnostics(self, name: str) -> dict[str, float | None]:
        """The pacer's diagnostics of a target; none when it is misconfigured."""
        place = self.places.get(name)
        return {} if place is None else numbers_at(self.decision.diagnostics, place)


class _Past(NamedTuple):
    """What history keeps of a cycle; `levels` are its HISTORY_FIELDS, shape (4, n)."""

    sequence: int
    at: Millis
    targets: tuple[PacingTarget, ...]
    permits: NDArray[np.int64]
    reasons: NDArray[np.uint8]
    levels: NDArray[np.float32]


class Picture:
    """The last cycle, and past ones in short."""

    def __init__(self) -> None:
        self.last: CycleView | None = None
        self._past: deque[_Past] = deque()

    def add(self, view: CycleView) -> None:
        """A cycle is over."""
        self.last = view
        decision = view.decision
        if decision.inputs:
            levels = np.array([decision.inputs[name] for name in HISTORY_FIELDS], dtype=np.float32)
            self._past.append(
                _Past(
                    view.sequence,
                    view.at,
                    decision.targets,
                    decision.permits,
                    decision.reasons,
                    levels,
                )
            )
        size = max(1, len(decision.targets))
        keep = min(MOST_CYCLES, max(FEWEST_CYCLES, HISTORY_CELLS // size))
        while len(self._past) > keep:
            self._past.popleft()

    def history(self, name: str) -> tuple[HistoryRow, ...]:
        """The target's past cycles, oldest first."""
        rows = []
        targets: tuple[PacingTarget, ...] = ()
        place: int | None = None
        for past in self._past:
            if past.targets is not targets:  # the same tuple until the targets change
                targets = past.targets
                names = (at for at, target in enumerate(targets) if target.name == name)
                place = next(names, None)
            if place is not None:
                rows.append(_history_row(past, place))
        return tuple(rows)


def _history_row(past: _Past, place: int) -> HistoryRow:
    ready, busy, waiting, pending = (known(value) for value in past.levels[:, place])
    return HistoryRow(
        sequence=past.sequence,
        at=to_text(past.at),
        permits=int(past.permits[place]),
        reason=reason_name(PermitReason(int(past.reasons[place]))),
        ready=ready,
        busy=busy,
        waiting=waiting,
        pending=pending,
    )

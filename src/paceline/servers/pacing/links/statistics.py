"""The link to the Stat Server: opens what the plan wants, follows agents' states, peeks once per cycle.

Called by the cycle. After a lost connection everything is opened anew; until then nothing is
known. Never fails a cycle: what cannot be had is unknown, with the reason.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.sdk import StatServerClient, Subscription
from paceline.servers.pacing.rules.inputs import InputPlan
from paceline.wire.operations.statistic import (
    OpenStatistic,
    StatisticChanges,
    StreamStatistics,
)

OPEN_AT_ONCE = 5000
"""Statistics per request (chosen: about 1 MB, a quarter of the largest frame)."""

_log = get_log("pacing.statistics")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Values of the plan's `wanted` at one position; NaN = unknown. `problem` says why all are.

    `refused` and `refused_groups` hold the Stat Server's words by place in the plan.
    """

    values: NDArray[np.float64]
    has_states: bool
    problem: str = ""
    refused: dict[int, str] = field(default_factory=dict)
    refused_groups: dict[int, str] = field(default_factory=dict)


class StateTaker(Protocol):
    """Keeps the states of the agents of all groups."""

    def take(self, group: str, notice: StatisticChanges) -> None:
        """A notice of one group."""
        ...

    def forget_group(self, group: str) -> None:
        """The group's members are told anew."""
        ...

    def clear(self) -> None:
        """All states are void: the connection is gone."""
        ...


class StatisticsLink:
    """Reads one plan at a time."""

    def __init__(self, client: StatServerClient, states: StateTaker) -> None:
        self._client = client
        self._states = states
        self._ids: dict[OpenStatistic, int] = {}
        self._refused: dict[OpenStatistic, str] = {}
        self._group_of: dict[int, str] = {}
        self._unheard: set[int] = set()
        self._all_heard = asyncio.Event()
        self._streams: list[Subscription[StatisticChanges]] = []
        client.connection.watch_connection(self._connection_changed)

    async def read(self, plan: InputPlan, *, timeout_s: float) -> Reading:
        """What the Stat Server says now; unknown when it is away, late or still catching up."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._open([*plan.wanted, *plan.groups], timeout_s)
                await self._follow(plan.groups)
                return await self._peek(plan, timeout_s)
        except TimeoutError:
            return self._unknown(plan, f"the Stat Server gave no answer in {timeout_s:g} s")
        except PacelineError as error:
            if error.name in ("not_found", "statistic_not_available"):
                self._forget()  # a Stat Server that began anew does not know our numbers
            return self._unknown(plan, error.message)

    def close(self) -> None:
        """Follow no more."""
        self._forget()

    async def _open(self, wanted: list[OpenStatistic], timeout_s: float) -> None:
        """Open what is not open; what was refused is asked for again, once per cycle."""
        missing = [statistic for statistic in wanted if statistic not in self._ids]
        for first in range(0, len(missing), OPEN_AT_ONCE):
            items = tuple(missing[first : first + OPEN_AT_ONCE])
            answer = await self._client.statistic.open(items=items, timeout_s=timeout_s)
            for statistic, opened in zip(items, answer.items, strict=True):
                if opened.id is None:
                    self._refuse(statistic, opened.error or "no reason was given")
                else:
                    self._refused.pop(statistic, None)
                    self._ids[statistic] = opened.id

    def _refuse(self, statistic: OpenStatistic, why: str) -> None:
        if self._refused.get(statistic) != why:
            _log.warning("statistic refused", object=statistic.object, why=why)
        self._refused[statistic] = why

    async def _follow(self, groups: Iterable[OpenStatistic]) -> None:
        """Subscribe to groups that are not followed yet; returns when all have told their agents."""
        new: list[int] = []
        for group in groups:
            number = self._ids.get(group)
            if number is not None and number not in self._group_of:
                self._group_of[number] = group.object
                new.append(number)
        if new:
            request = StreamStatistics(ids=tuple(new))
            self._expect(new)
            # Opened again after a reader too slow: the first notices are whole again.
            stream = self._client.statistic.subscribe(
                lambda: request, self._take, lambda _: self._expect(new)
            )
            self._streams.append(stream)
        if self._unheard:
            await self._all_heard.wait()

    def _expect(self, numbers: Iterable[int]) -> None:
        followed = [number for number in numbers if number in self._group_of]
        for number in followed:
            self._states.forget_group(self._group_of[number])
        if followed:
            self._unheard.update(followed)
            self._all_heard.clear()

    async def _peek(self, plan: InputPlan, timeout_s: float) -> Reading:
        ids = [self._ids.get(statistic) for statistic in plan.wanted]
        asked = tuple(number for number in ids if number is not None)
        peeked = await self._client.statistic.peek(ids=asked, timeout_s=timeout_s)
        if not peeked.is_live:
            return self._unknown(plan, "the Stat Server is still catching up with the events")
        found = {item.id: item.value for item in peeked.items}
        values = [None if number is None else found.get(number) for number in ids]
        return Reading(
            values=np.array([np.nan if value is None else value for value in values], dtype=float),
            has_states=True,
            refused=self._refusals(plan.wanted),
            refused_groups=self._refusals(plan.groups),
        )

    def _refusals(self, statistics: Iterable[OpenStatistic]) -> dict[int, str]:
        return {
            place: self._refused[statistic]
            for place, statistic in enumerate(statistics)
            if statistic in self._refused
        }

    def _unknown(self, plan: InputPlan, problem: str) -> Reading:
        return Reading(
            values=np.full(len(plan.wanted), np.nan),
            has_states=False,
            problem=problem,
            refused=self._refusals(plan.wanted),
            refused_groups=self._refusals(plan.groups),
        )

    def _take(self, notice: StatisticChanges) -> None:
        group = self._group_of.get(notice.id)
        if group is None:
            return
        self._states.take(group, notice)
        self._unheard.discard(notice.id)
        if not self._unheard:
            self._all_heard.set()

    def _connection_changed(self, is_connected: bool) -> None:
        if not is_connected:
            self._forget()

    def _forget(self) -> None:
        """Nothing is open any more: numbers, streams and states are void."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self._ids.clear()
        self._refused.clear()
        self._group_of.clear()
        self._unheard.clear()
        self._states.clear()

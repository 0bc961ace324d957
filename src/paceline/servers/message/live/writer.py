"""The one writer of messages and alarms: what arrives while it writes forms the next transaction.

Called by requests and tasks; run by the server's task group. Alarms change in memory only after
their commit, and every answer is given after it.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.queues import BoundedQueue
from paceline.runtime.times import BusinessTime
from paceline.servers.message.metrics import MessageMetrics
from paceline.servers.message.rules.match import ActiveAlarm, AlarmKey, Condition, Conditions
from paceline.servers.message.store.messages import Batch, Clearing, MessageStore
from paceline.storage.database import DatabaseError
from paceline.units.quantities import Millis
from paceline.wire.operations.message import Logged, LogMessage

MOST_AT_ONCE = 1000
"""Requests in one transaction, and twenty times as many waiting (chosen)."""

BY_EVENT, BY_TIMEOUT = "cancel event", "clearance timeout"
"""Who cleared an alarm when no person did."""

_log = get_log("message.alarms")


@dataclass(slots=True)
class _Draft:
    """A batch in the making, and the alarms as they will be after it."""

    active: dict[AlarmKey, ActiveAlarm]
    last_message: int
    last_alarm: int
    batch: Batch = field(default_factory=Batch)

    def clear(self, key: AlarmKey, at: Millis, by: str) -> int:
        """Takes an active alarm away; its id."""
        alarm = self.active.pop(key)
        self.batch.cleared[key[0], alarm.id] = Clearing(at, by)
        return alarm.id


_Act = Callable[[_Draft], object]


class MessageWriter:
    """Active alarms and the queue of what is to be written.

    Parameters
    ----------
    conditions
        Gives the alarm conditions of now.
    """

    def __init__(
        self,
        store: MessageStore,
        business: BusinessTime,
        metrics: MessageMetrics,
        conditions: Callable[[], Conditions],
    ) -> None:
        self._store = store
        self._business = business
        self._metrics = metrics
        self._conditions = conditions
        self._queue: BoundedQueue[tuple[_Act, asyncio.Future[Any]]] = BoundedQueue(
            "message writer", 20 * MOST_AT_ONCE
        )
        self._in_work: list[tuple[_Act, asyncio.Future[Any]]] = []
        self._active: dict[AlarmKey, ActiveAlarm] = {}
        self._last_message = 0
        self._last_alarm = 0
        self._must_load = False

    @property
    def active(self) -> Iterable[ActiveAlarm]:
        """Alarms that stand."""
        return self._active.values()

    async def load(self) -> None:
        """Takes over what the database has."""
        loaded = await self._store.load()
        self._active = {alarm.key: alarm for alarm in loaded.active}
        self._last_message, self._last_alarm = loaded.last_message, loaded.last_alarm
        self._must_load = False
        self._metrics.active.set(len(self._active))

    # --- work -----------------------------------------------------------------------------------

    def log(self, tenant: int, message: LogMessage) -> asyncio.Future[Logged]:
        """Stores a message with the alarms that it raises and clears."""
        at = self._business.now()
        return self._put(lambda draft: self._logged(draft, tenant, at, message))

    def clear(self, tenant: int, alarm_id: int, by: str) -> asyncio.Future[bool]:
        """Clears an alarm; False when it does not stand."""
        at = self._business.now()

        def act(draft: _Draft) -> bool:
            keys = [k for k, a in draft.active.items() if (k[0], a.id) == (tenant, alarm_id)]
            for key in keys:
                draft.clear(key, at, by)
            return bool(keys)

        return self._put(act)

    def expire(self) -> asyncio.Future[int]:
        """Clears all alarms whose timeout is over; how many."""
        now = self._business.now()

        def act(draft: _Draft) -> int:
            keys = [key for key, alarm in draft.active.items() if alarm.expires_at <= now]
            for key in keys:
                draft.clear(key, now, BY_TIMEOUT)
            return len(keys)

        return self._put(act)

    # --- writing --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Writes batch after batch until cancelled."""
        while True:
            self._in_work = await self._queue.take_all(MOST_AT_ONCE)
            await self._write([item for item in self._in_work if not item[1].done()])
            self._in_work = []

    async def close(self) -> None:
        """Refuses what waits; what was being written may have been, so that its outcome is unknown."""
        said = "the Message Server stops"
        for _, future in self._in_work:
            _fail(future, PacelineError("shutting_down", said, outcome="unknown"))
        while len(self._queue):
            for _, future in await self._queue.take_all(MOST_AT_ONCE):
                _fail(future, PacelineError("shutting_down", said, retry_after_s=1.0))

    async def _write(self, work: list[tuple[_Act, asyncio.Future[Any]]]) -> None:
        try:
            if self._must_load:
                await self.load()
            draft = _Draft(dict(self._active), self._last_message, self._last_alarm)
            answers = [act(draft) for act, _ in work]
            self._must_load = True
            await self._store.write(draft.batch)
            self._must_load = False
        except (PacelineError, DatabaseError) as error:
            for _, future in work:
                _fail(future, error)
            return
        self._take(draft)
        for (_, future), answer in zip(work, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    def _take(self, draft: _Draft) -> None:
        self._active = draft.active
        self._last_message, self._last_alarm = draft.last_message, draft.last_alarm
        self._metrics.active.set(len(self._active))
        self._metrics.raised.inc(len(draft.batch.raised))
        for *_, message in draft.batch.messages:
            self._metrics.messages.labels(message.level).inc()
        for alarm in draft.batch.raised:
            _log.standard(
                "alarm raised",
                alarm=alarm.id,
                condition=alarm.condition,
                application=alarm.application,
                subject=alarm.key[-1],
            )
        for (_, alarm_id), end in draft.batch.cleared.items():
            _log.standard("alarm cleared", alarm=alarm_id, by=end.by)

    def _put(self, act: _Act) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.offer((act, future))
        return future

    def _logged(self, draft: _Draft, tenant: int, at: Millis, message: LogMessage) -> Logged:
        draft.last_message += 1
        draft.batch.messages.append((tenant, draft.last_message, at, message))
        match = self._conditions().match(tenant, message, draft.active)
        cleared = [draft.clear(key, at, BY_EVENT) for key in match.clears]
        raised = [_raise(draft, at, message, *found) for found in match.raises]
        return Logged(
            message_id=draft.last_message,
            detected=raised[0] if raised else None,
            cleared=cleared[0] if cleared else None,
        )


def _raise(
    draft: _Draft, at: Millis, message: LogMessage, condition: Condition, key: AlarmKey
) -> int:
    draft.last_alarm += 1
    alarm = ActiveAlarm(
        id=draft.last_alarm,
        key=key,
        condition=condition.name,
        category=condition.body.category,
        application=message.application,
        text=message.text,
        detected_at=at,
        expires_at=at + condition.body.clearance_timeout * 1000,
    )
    draft.active[key] = alarm
    draft.batch.raised.append(alarm)
    return alarm.id


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)

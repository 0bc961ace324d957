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
from paceline.wire.once import KeptAnswer, Once, again, kept
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
    known: dict[Once, KeptAnswer]
    batch: Batch = field(default_factory=Batch)

    def clear(self, key: AlarmKey, at: Millis, by: str) -> int:
        """Takes an active alarm away; its id."""
        alarm = self.active.pop(key)
        self.batch.cleared[key[0], alarm.id] = Clearing(at, by)
        return alarm.id


_Act = Callable[[_Draft], object]


@dataclass(slots=True)
class _Item:
    """One request in the queue; with a key its first answer is given again."""

    act: _Act
    future: asyncio.Future[Any]
    once: Once | None = None


class MessageWriter:
    """Active alarms and the queue of what is to be written.

    Parameters
    ----------
    conditions
        Gives the alarm conditions of now.
    kept_until
        Gives the instant up to which an answer given now is kept under its idempotency key.
    """

    def __init__(
        self,
        store: MessageStore,
        business: BusinessTime,
        metrics: MessageMetrics,
        conditions: Callable[[], Conditions],
        kept_until: Callable[[], Millis],
    ) -> None:
        self._store = store
        self._business = business
        self._metrics = metrics
        self._conditions = conditions
        self._kept_until = kept_until
        self._queue: BoundedQueue[_Item] = BoundedQueue("message writer", 20 * MOST_AT_ONCE)
        self._in_work: list[_Item] = []
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

    def log(
        self, tenant: int, message: LogMessage, once: Once | None = None
    ) -> asyncio.Future[Logged]:
        """Stores a message with the alarms that it raises and clears; once for each key."""
        at = self._business.now()
        if once is None:
            return self._put(lambda draft: self._logged(draft, tenant, at, message))

        def act(draft: _Draft) -> object:
            known = draft.known.get(once)
            if known is not None:
                try:
                    return again(known, message, Logged)
                except PacelineError as reused:
                    return reused
            answer = self._logged(draft, tenant, at, message)
            draft.known[once] = draft.batch.kept[once] = kept(message, answer)
            return answer

        return self._put(act, once)

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
            await self._write([item for item in self._in_work if not item.future.done()])
            self._in_work = []

    async def close(self) -> None:
        """Refuses what waits; what was being written may have been, so that its outcome is unknown."""
        said = "the Message Server stops"
        for item in self._in_work:
            _fail(item.future, PacelineError("shutting_down", said, outcome="unknown"))
        while len(self._queue):
            for item in await self._queue.take_all(MOST_AT_ONCE):
                _fail(item.future, PacelineError("shutting_down", said, retry_after_s=1.0))

    async def _write(self, work: list[_Item]) -> None:
        try:
            if self._must_load:
                await self.load()
            known = await self._store.read_kept([i.once for i in work if i.once is not None])
            draft = _Draft(dict(self._active), self._last_message, self._last_alarm, known)
            answers = [item.act(draft) for item in work]
            self._must_load = True
            await self._store.write(draft.batch, self._kept_until())
            self._must_load = False
        except (PacelineError, DatabaseError) as error:
            for item in work:
                _fail(item.future, error)
            return
        self._take(draft)
        for item, answer in zip(work, answers, strict=True):
            if isinstance(answer, PacelineError):
                _fail(item.future, answer)
            elif not item.future.done():
                item.future.set_result(answer)

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

    def _put(self, act: _Act, once: Once | None = None) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.offer(_Item(act, future, once))
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

"""Messages and alarms in the database: one batch a transaction, lists, retention.

Called by live/writer.py, requests and tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from paceline.servers.message.rules.match import ActiveAlarm
from paceline.storage import kept_answers
from paceline.storage.database import Database, Row, Transaction
from paceline.units.quantities import Millis
from paceline.wire.once import KeptAnswer, Once
from paceline.wire.operations.message import LogMessage

_SCHEMA = "message"

DELETE_AT_ONCE = 5_000
"""Rows per deleting statement, so that none holds its locks for long (chosen)."""

_MESSAGE_COLUMNS = (
    "tenant_id", "message_id", "at", "application", "level", "number", "subject", "text",
    "attributes",
)  # fmt: skip
_ALARM_COLUMNS = (
    "tenant_id", "alarm_id", "condition_id", "application_key", "subject", "condition", "category",
    "application", "text", "detected_at", "expires_at", "cleared_at", "cleared_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clearing:
    """When an alarm was cleared, and by whom or what."""

    at: Millis
    by: str


@dataclass(slots=True)
class Batch:
    """What one transaction writes."""

    messages: list[tuple[int, int, Millis, LogMessage]] = field(default_factory=list)
    raised: list[ActiveAlarm] = field(default_factory=list)
    cleared: dict[tuple[int, int], Clearing] = field(default_factory=dict)
    kept: dict[Once, KeptAnswer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything a start needs."""

    active: tuple[ActiveAlarm, ...]
    last_message: int
    last_alarm: int


class MessageStore:
    """Tables `messages` and `alarms`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Loaded:
        """Active alarms and the highest numbers given."""
        rows = await self._database.fetch(
            f"SELECT {', '.join(_ALARM_COLUMNS)} FROM message.alarms WHERE cleared_at IS NULL"
        )
        [numbers] = await self._database.fetch(
            "SELECT (SELECT coalesce(max(message_id), 0) FROM message.messages), "
            "(SELECT coalesce(max(alarm_id), 0) FROM message.alarms)"
        )
        return Loaded(tuple(_active(row) for row in rows), numbers[0], numbers[1])

    async def write(self, batch: Batch, kept_until: Millis) -> None:
        """The batch in one transaction; clearings first, which frees the keys of new alarms."""
        new = {(alarm.key[0], alarm.id) for alarm in batch.raised}
        old = [(*key, c.at, c.by) for key, c in batch.cleared.items() if key not in new]
        messages = [_message_row(*item) for item in batch.messages]
        alarms = [_alarm_row(alarm, batch.cleared) for alarm in batch.raised]

        async def work(transaction: Transaction) -> None:
            await transaction.insert_rows("message.messages", _MESSAGE_COLUMNS, messages)
            if old:
                await transaction.update_rows(
                    "message.alarms", _ALARM_COLUMNS[:2], _ALARM_COLUMNS[-2:], old
                )
            if alarms:
                await transaction.insert_rows("message.alarms", _ALARM_COLUMNS, alarms)
            await kept_answers.write(transaction, _SCHEMA, batch.kept, kept_until)

        await self._database.transaction(work)

    async def read_kept(self, keys: Sequence[Once]) -> dict[Once, KeptAnswer]:
        """Answers kept under idempotency keys."""
        return await kept_answers.read(self._database, _SCHEMA, keys)

    async def forget_kept(self, now: Millis) -> None:
        """Deletes answers kept until before an instant."""
        await kept_answers.forget_expired(self._database, _SCHEMA, now)

    async def list_messages(
        self,
        tenant: int,
        *,
        below: int | None,
        number: int | None,
        application: str | None,
        limit: int,
    ) -> list[Row]:
        """Messages with lower numbers, newest first: id, at, application … as in the table."""
        wanted: list[object] = [tenant, limit]
        where = "tenant_id = $1"
        for text, value in (
            ("message_id <", below),
            ("number =", number),
            ("application =", application),
        ):
            if value is not None:
                wanted.append(value)
                where += f" AND {text} ${len(wanted)}"
        return await self._database.fetch(
            f"SELECT {', '.join(_MESSAGE_COLUMNS[1:])} FROM message.messages WHERE {where} "
            "ORDER BY message_id DESC LIMIT $2",
            *wanted,
        )

    async def list_alarms(
        self, tenant: int, *, below: int | None, with_cleared: bool, limit: int
    ) -> list[Row]:
        """Alarms with lower numbers, newest first, in the order of the answer's fields."""
        wanted: list[object] = [tenant, limit]
        where = "tenant_id = $1" + ("" if with_cleared else " AND cleared_at IS NULL")
        if below is not None:
            wanted.append(below)
            where += " AND alarm_id < $3"
        return await self._database.fetch(
            "SELECT alarm_id, condition, category, application, subject, text, detected_at, "
            f"cleared_at, cleared_by FROM message.alarms WHERE {where} "
            "ORDER BY alarm_id DESC LIMIT $2",
            *wanted,
        )

    async def has_alarm(self, tenant: int, alarm_id: int) -> bool:
        """Whether the alarm exists, active or cleared."""
        found = await self._database.fetch(
            "SELECT 1 FROM message.alarms WHERE tenant_id = $1 AND alarm_id = $2", tenant, alarm_id
        )
        return bool(found)

    async def forget_before(self, at: Millis) -> int:
        """Deletes some messages and cleared alarms from before an instant; how many rows."""
        return await self._forget("messages", "message_id", "at < $1", at) + await self._forget(
            "alarms", "alarm_id", "cleared_at < $1", at
        )

    async def _forget(self, table: str, key: str, condition: str, at: Millis) -> int:
        return await self._database.execute(
            f"DELETE FROM message.{table} WHERE (tenant_id, {key}) IN "
            f"(SELECT tenant_id, {key} FROM message.{table} WHERE {condition} LIMIT $2)",
            at,
            DELETE_AT_ONCE,
        )


def _message_row(tenant: int, number: int, at: Millis, message: LogMessage) -> Sequence[object]:
    attributes = msgspec.json.encode(message.attributes).decode()
    return (
        tenant,
        number,
        at,
        message.application,
        message.level,
        message.number,
        message.subject,
        message.text,
        attributes,
    )


def _alarm_row(alarm: ActiveAlarm, cleared: dict[tuple[int, int], Clearing]) -> tuple[object, ...]:
    tenant, condition_id, application_key, subject = alarm.key
    end = cleared.get((tenant, alarm.id))
    return (
        tenant,
        alarm.id,
        condition_id,
        application_key,
        subject,
        alarm.condition,
        alarm.category,
        alarm.application,
        alarm.text,
        alarm.detected_at,
        alarm.expires_at,
        end.at if end else None,
        end.by if end else None,
    )


def _active(row: Row) -> ActiveAlarm:
    tenant, alarm_id, condition_id, application_key, subject, *shown = row[:11]
    return ActiveAlarm(alarm_id, (tenant, condition_id, application_key, subject), *shown)

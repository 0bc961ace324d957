"""Chunks of events in SQL: one row per commit and tenant, first and last event id, compressed JSON."""

from collections.abc import Sequence

import msgspec
import zstandard

from paceline.storage.database import Database, Transaction
from paceline.wire.operations.event import Event

TABLE = "interaction.event_chunks"
_COLUMNS = (
    "tenant_id",
    "first_event_id",
    "last_event_id",
    "count",
    "first_at",
    "last_at",
    "events",
)
_LEVEL = 1
"""zstd level 1: a quarter of gzip's time at the same size (measured, stack.md §5)."""

_decoder = msgspec.json.Decoder(tuple[Event, ...])
_encode = msgspec.json.Encoder().encode
_compress = zstandard.ZstdCompressor(level=_LEVEL).compress
_decompress = zstandard.ZstdDecompressor().decompress


async def append(
    transaction: Transaction, chunks: Sequence[tuple[int, int, int, Sequence[Event]]]
) -> None:
    """Writes chunks of (tenant, first instant, last instant, events) in the order of event ids."""
    rows = [
        (
            tenant,
            events[0].event_id,
            events[-1].event_id,
            len(events),
            first_at,
            last_at,
            _compress(_encode(events)),
        )
        for tenant, first_at, last_at, events in chunks
    ]
    await transaction.insert_rows(TABLE, _COLUMNS, rows)


async def read_after(
    database: Database, tenant_id: int, after: int, limit: int
) -> tuple[tuple[Event, ...], bool]:
    """At most `limit` events with ids above `after`, and whether that is all there is."""
    found: list[Event] = []
    reached = after
    while len(found) <= limit:
        rows = await database.fetch(
            f"SELECT last_event_id, events FROM {TABLE} WHERE tenant_id = $1 AND last_event_id > $2 "
            "ORDER BY first_event_id LIMIT 50",
            tenant_id,
            reached,
        )
        if not rows:
            return tuple(found), True
        for last_event_id, events in rows:
            found += [e for e in _decoder.decode(_decompress(events)) if e.event_id > after]
            reached = last_event_id
            if len(found) > limit:
                break
    return tuple(found[:limit]), False


async def count_events(database: Database, tenant_id: int) -> int:
    """How many events of a tenant the log holds."""
    rows = await database.fetch(
        f"SELECT coalesce(sum(count), 0) FROM {TABLE} WHERE tenant_id = $1", tenant_id
    )
    return int(rows[0][0])

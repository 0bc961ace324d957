"""Chunks of events in SQL: one row per commit and tenant, first and last event id, compressed JSON.

Written by the committer, read by position, rewritten only to erase personal data. Reading never
looks at more than a page's worth: what filters leave out counts too.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

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
_KEY = ("tenant_id", "last_event_id", "last_at")
_LEVEL = 1
"""zstd level 1: a quarter of gzip's time at the same size (measured, stack.md §5)."""

CHUNK_BYTES = 1024 * 1024
"""Most JSON in one chunk and one notice unless a single event has more (chosen: a quarter of a frame)."""

SCAN_EVENTS = 20_000
"""Most events looked at for one page (chosen: some 50 ms of work)."""

MOST_CHUNKS = 32
"""Most chunks read at once; the first reads take fewer (chosen)."""

_decoder = msgspec.json.Decoder(tuple[Event, ...])
_encode = msgspec.json.Encoder().encode
_compress = zstandard.ZstdCompressor(level=_LEVEL).compress
_decompress = zstandard.ZstdDecompressor().decompress

Show = Callable[[Event], Event | None]


class Part(NamedTuple):
    """Events of one commit and tenant in order, with their JSON: a chunk, and a notice of the stream."""

    tenant: int
    events: Sequence[Event]
    text: bytes


class Page(NamedTuple):
    """Events in order; `reached` is the last id looked at, `complete` that no more are there."""

    events: tuple[Event, ...]
    reached: int
    complete: bool


def parts_of(tenant: int, events: Sequence[Event]) -> list[Part]:
    """The events of a commit as parts that fit into chunks and notices."""
    text = _encode(events)
    if len(text) <= CHUNK_BYTES or len(events) == 1:
        return [Part(tenant, events, text)]
    half = len(events) // 2
    return parts_of(tenant, events[:half]) + parts_of(tenant, events[half:])


async def append(transaction: Transaction, parts: Sequence[Part], at: int) -> None:
    """Writes the parts of a commit in the order of event ids; `at` is the instant of all of them."""
    rows = [
        (
            part.tenant,
            part.events[0].event_id,
            part.events[-1].event_id,
            len(part.events),
            at,
            at,
            _compress(part.text),
        )
        for part in parts
    ]
    await transaction.insert_rows(TABLE, _COLUMNS, rows)


async def read_after(
    database: Database,
    tenant_id: int,
    after: int,
    limit: int,
    *,
    show: Show | None = None,
    about: str | None = None,
) -> Page:
    """At most `limit` events with ids above `after`; fewer when they are long or filters take many.

    `show` gives an event as its reader gets it, or None; `about` leaves only one interaction's.
    """
    reading = _Reading(after, limit, show, about)
    step = 2
    while True:
        rows = await database.fetch(
            f"SELECT last_event_id, events FROM {TABLE} WHERE tenant_id = $1 "
            f"AND last_event_id > $2 ORDER BY last_event_id LIMIT {step}",
            tenant_id,
            reading.reached,
        )
        for last_event_id, packed in rows:
            if not reading.take(_decompress(packed), last_event_id) or reading.is_enough:
                return reading.page(complete=False)
        if len(rows) < step:
            return reading.page(complete=True)
        step = min(2 * step, MOST_CHUNKS)


class Stretch(NamedTuple):
    """A page for a reader without filter: its JSON array as it was stored, else like `Page`."""

    text: bytes
    reached: int
    complete: bool


async def read_stretch(database: Database, tenant_id: int, after: int) -> Stretch:
    """The events above an id, about a chunk's size of them; what is stored is hardly looked at."""
    pieces: list[bytes] = []
    reached, size, step = after, 0, 4
    while True:
        rows = await database.fetch(
            f"SELECT first_event_id, last_event_id, events FROM {TABLE} WHERE tenant_id = $1 "
            f"AND last_event_id > $2 ORDER BY last_event_id LIMIT {step}",
            tenant_id,
            reached,
        )
        for first_event_id, last_event_id, packed in rows:
            text = _decompress(packed)
            if first_event_id <= reached:  # the position is inside this chunk
                text = _encode([e for e in _decoder.decode(text) if e.event_id > reached])
            pieces.append(text[1:-1])
            reached = last_event_id
            size += len(text)
            if size >= CHUNK_BYTES:
                return Stretch(b"[%s]" % b",".join(pieces), reached, complete=False)
        if len(rows) < step:
            return Stretch(b"[%s]" % b",".join(pieces), reached, complete=True)
        step = min(2 * step, MOST_CHUNKS)


class _Reading:
    """A page in the making."""

    def __init__(self, after: int, limit: int, show: Show | None, about: str | None) -> None:
        self.reached = after
        self._limit = limit
        self._show = show
        self._about = about
        self._mark = about.encode() if about is not None else b""
        self._found: list[Event] = []
        self._looked = 0
        self._bytes = 0

    @property
    def is_enough(self) -> bool:
        """Whether this was work enough for one page."""
        return self._looked >= SCAN_EVENTS or self._bytes >= CHUNK_BYTES

    def take(self, text: bytes, last_event_id: int) -> bool:
        """Takes a chunk; False when the page was full before its end."""
        events = _decoder.decode(text) if self._mark in text else ()
        self._looked += max(1, len(events))
        before = len(self._found)
        for event in events:
            if event.event_id <= self.reached:
                continue
            shown = self._shown(event)
            if shown is not None:
                if len(self._found) == self._limit or (self.is_enough and self._found):
                    return False
                self._found.append(shown)
            self.reached = event.event_id
        self.reached = last_event_id
        if len(self._found) > before:
            self._bytes += len(text)
        return True

    def page(self, *, complete: bool) -> Page:
        """What was found."""
        return Page(tuple(self._found), self.reached, complete)

    def _shown(self, event: Event) -> Event | None:
        if self._about is not None and event.interaction_id != self._about:
            return None
        return event if self._show is None else self._show(event)


async def last_before(database: Database, at: int) -> int | None:
    """The id before the first event at or after an instant; None when there is no such event."""
    rows = await database.fetch(
        f"SELECT first_event_id FROM {TABLE} WHERE last_at >= $1 "
        "ORDER BY last_at, first_event_id LIMIT 1",
        at,
    )
    return rows[0][0] - 1 if rows else None


async def last_until(database: Database, at: int) -> int:
    """The last event id not after an instant; 0 without one."""
    rows = await database.fetch(
        f"SELECT last_event_id FROM {TABLE} WHERE last_at <= $1 "
        "ORDER BY last_at DESC, last_event_id DESC LIMIT 1",
        at,
    )
    return rows[0][0] if rows else 0


async def erase_from(
    database: Database,
    tenant_id: int,
    ids: Collection[str],
    between: tuple[int, int],
    clean: Callable[[Event], Event],
) -> int:
    """Cleans the data of all events of some interactions between two instants; how many changed."""
    changed, reached, end = 0, 0, between[1]
    at = between[0]
    while True:
        rows = await database.fetch(
            f"SELECT last_event_id, last_at, events FROM {TABLE} WHERE tenant_id = $1 "
            "AND last_at >= $2 AND last_at <= $3 AND last_event_id > $4 "
            f"ORDER BY last_event_id LIMIT {MOST_CHUNKS}",
            tenant_id,
            at,
            end,
            reached,
        )
        for last_event_id, last_at, packed in rows:
            reached = last_event_id
            events = _decoder.decode(_decompress(packed))
            new = tuple(clean(e) if e.interaction_id in ids else e for e in events)
            differing = sum(a is not b for a, b in zip(events, new, strict=True))
            if differing:
                await database.execute(
                    f"UPDATE {TABLE} SET events = $4 WHERE tenant_id = $1 AND last_event_id = $2 "
                    "AND last_at = $3",
                    tenant_id,
                    last_event_id,
                    last_at,
                    _compress(_encode(new)),
                )
                changed += differing
        if len(rows) < MOST_CHUNKS:
            return changed


async def count_events(database: Database, tenant_id: int) -> int:
    """How many events of a tenant the log holds."""
    rows = await database.fetch(
        f"SELECT coalesce(sum(count), 0) FROM {TABLE} WHERE tenant_id = $1", tenant_id
    )
    return int(rows[0][0])


# --- the floor: what retention has dropped -------------------------------------------------------


async def read_floor(database: Database, node_code: int) -> int:
    """The last event id that retention has dropped; 0 when the log is whole."""
    rows = await database.fetch(
        "SELECT dropped_event_id FROM interaction.node WHERE node_code = $1", node_code
    )
    return int(rows[0][0]) if rows else 0


async def read_end(database: Database, node_code: int) -> int:
    """The last event id that was ever committed."""
    rows = await database.fetch(
        "SELECT last_event_id FROM interaction.node WHERE node_code = $1", node_code
    )
    return int(rows[0][0]) if rows else 0


async def raise_floor(transaction: Transaction, node_code: int, event_id: int) -> None:
    """Notes that events up to an id are dropped, before they are."""
    await transaction.execute(
        "UPDATE interaction.node SET dropped_event_id = $2 "
        "WHERE node_code = $1 AND dropped_event_id < $2",
        node_code,
        event_id,
    )


async def oldest(
    database: Database, table: str, *, before: int, until_id: int, limit: int
) -> list[tuple[int, int, int]]:
    """Keys of the oldest chunks of a table (whole or a partition) that may be dropped."""
    rows = await database.fetch(
        f"SELECT {', '.join(_KEY)} FROM {table} WHERE last_at < $1 AND last_event_id <= $2 "
        f"ORDER BY last_at, last_event_id LIMIT {limit}",
        before,
        until_id,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def delete(
    transaction: Transaction, table: str, keys: Sequence[tuple[int, int, int]]
) -> None:
    """Deletes chunks by key."""
    await transaction.delete_rows(table, _KEY, keys)


# --- registered readers --------------------------------------------------------------------------


class Reader(NamedTuple):
    """A reader that stores its position, and when it last did (business time)."""

    tenant_id: int
    name: str
    event_id: int
    confirmed_at: int


async def read_readers(database: Database, tenant_id: int | None = None) -> list[Reader]:
    """Registered readers of one tenant, or of all, by name."""
    columns = "tenant_id, reader, event_id, confirmed_at"
    if tenant_id is None:
        rows = await database.fetch(f"SELECT {columns} FROM interaction.event_readers")
    else:
        rows = await database.fetch(
            f"SELECT {columns} FROM interaction.event_readers WHERE tenant_id = $1 ORDER BY reader",
            tenant_id,
        )
    return [Reader(*row) for row in rows]


async def confirm_reader(database: Database, reader: Reader) -> None:
    """Stores a reader's position, whether it is new, on or back."""
    await database.execute(
        "INSERT INTO interaction.event_readers (tenant_id, reader, event_id, confirmed_at) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, reader) DO UPDATE SET "
        "event_id = excluded.event_id, confirmed_at = excluded.confirmed_at",
        *reader,
    )


async def forget_reader(database: Database, tenant_id: int, name: str) -> int:
    """Removes a reader; how many rows."""
    return await database.execute(
        "DELETE FROM interaction.event_readers WHERE tenant_id = $1 AND reader = $2",
        tenant_id,
        name,
    )

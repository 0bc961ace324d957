"""Queues as plain tables, row by row: the peers that `bench interactions` measures beside us.

Used by bench only. No events, no tokens, no validation, no views: less than what an interaction node does.
"""

from typing import Protocol

from paceline.storage.database import Database


class PeerQueue(Protocol):
    """A queue in a database of its own kind; each step is durable on return."""

    async def create(self) -> None:
        """Make its table, empty."""
        ...

    async def submit(self, body: str) -> None:
        """Add one message, a JSON text."""
        ...

    async def pull_and_stop(self) -> bool:
        """Take the first message and end it, in two steps; False when there is none."""
        ...


class PlainQueue:
    """Claims by `FOR UPDATE SKIP LOCKED` in the order of priority, as home-made queues do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self) -> None:
        """See `PeerQueue`."""
        await self._database.execute("DROP TABLE IF EXISTS plain_queue")
        await self._database.execute(
            "CREATE TABLE plain_queue (id bigserial PRIMARY KEY, "
            "state smallint NOT NULL DEFAULT 0, priority integer NOT NULL DEFAULT 0, "
            "body jsonb NOT NULL)"
        )
        await self._database.execute(
            "CREATE INDEX plain_queue_waiting ON plain_queue ((-priority), id) WHERE state = 0"
        )

    async def submit(self, body: str) -> None:
        """See `PeerQueue`."""
        await self._database.execute("INSERT INTO plain_queue (body) VALUES ($1)", body)

    async def pull_and_stop(self) -> bool:
        """See `PeerQueue`."""
        rows = await self._database.fetch(
            "UPDATE plain_queue SET state = 1 WHERE id = (SELECT id FROM plain_queue "
            "WHERE state = 0 ORDER BY (-priority), id LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "RETURNING id, body"
        )
        if not rows:
            return False
        await self._database.execute("DELETE FROM plain_queue WHERE id = $1", rows[0][0])
        return True


class VisibilityQueue:
    """A table with the statements of pgmq: what is read stays hidden for a time, then it is deleted.

    Written anew: the package registries have pgmq's clients, not the extension. Its functions run
    these statements through PL/pgSQL, which costs more than here.
    """

    HIDDEN_S = 30
    """As its documentation's first example."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self) -> None:
        """See `PeerQueue`."""
        await self._database.execute("DROP TABLE IF EXISTS visibility_queue")
        await self._database.execute(
            "CREATE TABLE visibility_queue ("
            "msg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "read_ct integer NOT NULL DEFAULT 0, "
            "enqueued_at timestamptz NOT NULL DEFAULT now(), vt timestamptz NOT NULL, "
            "message jsonb, headers jsonb)"
        )
        await self._database.execute("CREATE INDEX visibility_queue_vt ON visibility_queue (vt)")

    async def submit(self, body: str) -> None:
        """See `PeerQueue`."""
        await self._database.fetch(
            "INSERT INTO visibility_queue (vt, message, headers) "
            "VALUES (clock_timestamp(), $1, NULL) RETURNING msg_id",
            body,
        )

    async def pull_and_stop(self) -> bool:
        """See `PeerQueue`."""
        rows = await self._database.fetch(
            "WITH found AS (SELECT msg_id FROM visibility_queue WHERE vt <= clock_timestamp() "
            "ORDER BY msg_id LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "UPDATE visibility_queue q "
            f"SET vt = clock_timestamp() + interval '{self.HIDDEN_S} s', read_ct = read_ct + 1 "
            "FROM found WHERE q.msg_id = found.msg_id "
            "RETURNING q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message, q.headers"
        )
        if not rows:
            return False
        await self._database.fetch(
            "DELETE FROM visibility_queue WHERE msg_id = $1 RETURNING msg_id", rows[0][0]
        )
        return True

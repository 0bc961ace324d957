"""A queue as a plain table with SKIP LOCKED, row by row: the peer that `bench interactions` measures beside us.

Used by bench only. No events, no tokens, no validation: less than what an interaction node does.
"""

from paceline.storage.database import Database

_TABLE = "plain_queue"


async def create_plain_queue(database: Database) -> None:
    """Makes the table, empty."""
    await database.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    await database.execute(
        f"CREATE TABLE {_TABLE} (id bigserial PRIMARY KEY, state smallint NOT NULL DEFAULT 0, "
        "priority integer NOT NULL DEFAULT 0, body jsonb NOT NULL)"
    )
    await database.execute(
        f"CREATE INDEX plain_queue_waiting ON {_TABLE} ((-priority), id) WHERE state = 0"
    )


async def submit_plain(database: Database, body: str) -> None:
    """Adds one row; durable on return."""
    await database.execute(f"INSERT INTO {_TABLE} (body) VALUES ($1)", body)


async def pull_and_stop_plain(database: Database) -> bool:
    """Claims the first row with SKIP LOCKED and deletes it, in two durable steps; False when empty."""
    rows = await database.fetch(
        f"UPDATE {_TABLE} SET state = 1 WHERE id = (SELECT id FROM {_TABLE} WHERE state = 0 "
        "ORDER BY (-priority), id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, body"
    )
    if not rows:
        return False
    await database.execute(f"DELETE FROM {_TABLE} WHERE id = $1", rows[0][0])
    return True

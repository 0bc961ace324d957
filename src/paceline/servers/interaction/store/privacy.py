"""Finding a person's interactions by a value in user data, and emptying what finished ones hold beside it."""

from collections.abc import Sequence

from paceline.servers.interaction.store.node import DATA, FINISHED, Key
from paceline.storage.database import Database


async def page_of_subject(
    database: Database, tenant_id: int, key: str, value: str, *, after: str, limit: int
) -> tuple[list[str], str | None]:
    """Ids with a value under a key of their user data among the next `limit`; where to go on."""
    pairs = "json_each_text" if database.engine == "postgresql" else "json_each"
    rows = await database.fetch(
        f"SELECT d.interaction_id, EXISTS (SELECT 1 FROM {pairs}(d.user_data) AS pair "
        "WHERE pair.key = $3 AND CAST(pair.value AS TEXT) = $4) "
        f"FROM (SELECT interaction_id, user_data FROM {DATA} WHERE tenant_id = $1 "
        f"AND interaction_id > $2 ORDER BY interaction_id LIMIT {limit}) d ORDER BY d.interaction_id",
        tenant_id,
        after,
        key,
        value,
    )
    found = [row[0] for row in rows if row[1]]
    return found, rows[-1][0] if len(rows) == limit else None


async def clear_columns(database: Database, columns: Sequence[str], keys: Sequence[Key]) -> None:
    """Empties columns of finished interactions: copies of user data values."""
    assigned = ", ".join(f"{name} = NULL" for name in columns)
    for key in keys:
        await database.execute(
            f"UPDATE {FINISHED} SET {assigned} WHERE tenant_id = $1 AND interaction_id = $2", *key
        )

"""Agent sessions in SQL: all are read at a start, changed ones are written with their batch."""

from collections.abc import Mapping, Sequence

import msgspec

from paceline.model.agent import Agent, Media
from paceline.storage.database import Queries, Transaction

SESSIONS = "interaction.agent_sessions"
MEDIA = "interaction.agent_media"
_KEY = ("tenant_id", "agent_id")
_SESSION_COLUMNS = (
    *_KEY,
    "name",
    "session_id",
    "place_id",
    "login_at",
    "is_linked",
    "do_not_disturb",
    "reason",
    "reserved_by",
    "reserved_until",
    "reason_code",
)
_MEDIA_COLUMNS = (
    *_KEY,
    "media_type",
    "ready",
    "reason",
    "changed_at",
    "state",
    "calls",
    "reason_code",
)


async def read_agents(queries: Queries, names: Mapping[int, str]) -> list[Agent]:
    """Every agent session with its media; what they ring and handle is filled by the caller.

    An agent keeps the name that the login's event told, until the logout's event has told it too.
    """
    agents = {}
    for row in await queries.fetch(f"SELECT {', '.join(_SESSION_COLUMNS)} FROM {SESSIONS}"):
        agents[row[0], row[1]] = Agent(
            tenant_id=row[0],
            agent_id=row[1],
            name=row[2] or names.get(row[1], ""),
            session_id=row[3],
            place_id=row[4],
            login_at=row[5],
            is_linked=bool(row[6]),
            do_not_disturb=bool(row[7]),
            reason=row[8],
            reserved_by=row[9],
            reserved_until=row[10],
            reason_code=row[11],
        )
    for row in await queries.fetch(f"SELECT {', '.join(_MEDIA_COLUMNS)} FROM {MEDIA}"):
        if (row[0], row[1]) in agents:
            agents[row[0], row[1]].media[row[2]] = Media(bool(row[3]), *row[4:9])
    return list(agents.values())


async def write_agents(
    transaction: Transaction, changed: Sequence[tuple[int, int]], present: Sequence[Agent]
) -> None:
    """Replaces the rows of changed agents; those that are not present are logged out."""
    await _delete(transaction, MEDIA, changed)
    await transaction.delete_rows(SESSIONS, _KEY, changed)
    sessions = [
        (
            a.tenant_id,
            a.agent_id,
            a.name,
            a.session_id,
            a.place_id,
            a.login_at,
            a.is_linked,
            a.do_not_disturb,
            a.reason,
            a.reserved_by,
            a.reserved_until,
            a.reason_code,
        )
        for a in present
    ]
    await transaction.insert_rows(SESSIONS, _SESSION_COLUMNS, sessions)
    media = [
        (a.tenant_id, a.agent_id, name, *msgspec.structs.astuple(m))
        for a in present
        for name, m in a.media.items()
    ]
    await transaction.insert_rows(MEDIA, _MEDIA_COLUMNS, media)


async def _delete(transaction: Transaction, table: str, keys: Sequence[tuple[int, int]]) -> None:
    """Deletes all rows of agents; several rows have one key here, so that this is no keyed delete."""
    for tenant_id, agent_id in keys:
        await transaction.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND agent_id = $2", tenant_id, agent_id
        )

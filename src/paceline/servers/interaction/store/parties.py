"""Parties beside the owner in SQL: all are read at a start, those of changed interactions are replaced."""

from collections.abc import Iterable, Sequence

import msgspec

from paceline.model.party import PARTY_COLUMNS, Party
from paceline.servers.interaction.store.node import Key
from paceline.storage.database import Queries, Transaction

PARTIES = "interaction.parties"


async def read_parties(queries: Queries) -> list[Party]:
    """Every party beside an owner."""
    rows = await queries.fetch(f"SELECT {', '.join(PARTY_COLUMNS)} FROM {PARTIES}")
    return [Party(*row) for row in rows]


async def write_parties(
    transaction: Transaction, changed: Sequence[Key], present: Iterable[Party]
) -> None:
    """Replaces the parties of changed interactions."""
    for tenant_id, interaction_id in changed:
        await transaction.execute(
            f"DELETE FROM {PARTIES} WHERE tenant_id = $1 AND interaction_id = $2",
            tenant_id,
            interaction_id,
        )
    rows = [msgspec.structs.astuple(party) for party in present]
    if rows:
        await transaction.insert_rows(PARTIES, PARTY_COLUMNS, rows)

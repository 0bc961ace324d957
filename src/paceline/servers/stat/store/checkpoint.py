"""The checkpoint in the database: positions, totals, open interactions and agents, in one transaction.

Written by tasks/save_checkpoints, read once at start. What it holds always belongs to one position.
Rows that a checkpoint names are replaced, so that writing the same one twice does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paceline.storage.database import Database, Transaction

Rows = Sequence[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What changed since the last one. `gone` and `touched` are keys, deleted before the insertion.

    nodes: node code, last event id, events counted. sources: name, position. totals: tenant,
    statistic id, definition, value, since (ms). interactions: tenant, id, state. agents: tenant,
    name, state. States are JSON.
    """

    nodes: Rows
    sources: Rows
    totals: Rows
    gone_totals: Rows
    interactions: Rows
    touched_interactions: Rows
    agents: Rows
    touched_agents: Rows

    def says_no_more_than(self, before: "Checkpoint | None") -> bool:
        """Whether nothing has happened since an earlier one was written."""
        return (
            before is not None
            and (self.nodes, self.sources) == (before.nodes, before.sources)
            and not (self.totals or self.gone_totals)
            and not (self.touched_interactions or self.touched_agents)
        )


_TABLES = (
    ("nodes", ("node_code",), ("last_event_id", "events_counted")),
    ("sources", ("source",), ("position",)),
    ("totals", ("tenant_id", "statistic_id"), ("definition", "value", "since")),
    ("open_interactions", ("tenant_id", "interaction_id"), ("state",)),
    ("agents", ("tenant_id", "agent"), ("state",)),
)


async def write_checkpoint(database: Database, checkpoint: Checkpoint) -> None:
    """Store it; after return it is committed. May be repeated after any error."""
    replaced: tuple[tuple[Rows, Rows], ...] = (
        (_keys(checkpoint.nodes, 1), checkpoint.nodes),
        (_keys(checkpoint.sources, 1), checkpoint.sources),
        ([*_keys(checkpoint.totals, 2), *checkpoint.gone_totals], checkpoint.totals),
        (checkpoint.touched_interactions, checkpoint.interactions),
        (checkpoint.touched_agents, checkpoint.agents),
    )

    async def work(transaction: Transaction) -> None:
        for (table, keys, values), (old, new) in zip(_TABLES, replaced, strict=True):
            if old:
                await transaction.delete_rows(f"stat.{table}", keys, old)
            if new:
                await transaction.insert_rows(f"stat.{table}", (*keys, *values), new)

    await database.transaction(work)


async def read_checkpoint(database: Database) -> Checkpoint:
    """Everything that is stored, all of one position."""

    async def work(transaction: Transaction) -> list[Rows]:
        found: list[Rows] = []
        for table, keys, values in _TABLES:
            columns = ", ".join((*keys, *values))
            rows = await transaction.fetch(f"SELECT {columns} FROM stat.{table}")
            found.append([tuple(row) for row in rows])
        return found

    nodes, sources, totals, interactions, agents = await database.transaction(work)
    return Checkpoint(
        nodes=nodes,
        sources=sources,
        totals=totals,
        gone_totals=(),
        interactions=interactions,
        touched_interactions=(),
        agents=agents,
        touched_agents=(),
    )


def _keys(rows: Rows, width: int) -> list[tuple[object, ...]]:
    return [row[:width] for row in rows]

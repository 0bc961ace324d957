"""Workbins, parties beside the owner, snapshots: what all operations on interactions need."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
readable_from = 1

SCHEMA = "interaction"
_ROW_TABLES = ("interactions", "finished_interactions")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _small(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    """Adds the columns of workbins, and the tables of parties and snapshots."""
    for table in _ROW_TABLES:
        op.add_column(table, _small("workbin_id", nullable=True), schema=SCHEMA)
        op.add_column(table, _small("workbin_owner_id", nullable=True), schema=SCHEMA)
        _partial_index(table, "parent_id", ["tenant_id", "parent_id"])
    unheld: Any = sa.text("state = 2 AND router_session IS NULL")
    op.create_index(
        "interactions_unheld",
        "interactions",
        ["tenant_id"],
        schema=SCHEMA,
        postgresql_where=unheld,
        sqlite_where=unheld,
    )
    _partial_index("interactions", "workbin_id", ["tenant_id", "workbin_id", "workbin_owner_id"])
    op.create_table(
        "parties",
        _small("tenant_id"),
        _text("interaction_id"),
        _small("agent_id"),
        _text("media_type"),
        _small("place_id", nullable=True),
        _text("role"),
        _text("visibility"),
        _number("ticket"),
        _number("ticket_until", nullable=True),
        _small("asked_by"),
        _number("since"),
        sa.PrimaryKeyConstraint("tenant_id", "interaction_id", "agent_id"),
        schema=SCHEMA,
    )
    _snapshot_tables()


def _partial_index(table: str, column: str, keys: list[str]) -> None:
    present: Any = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"{table}_{column}",
        table,
        keys,
        schema=SCHEMA,
        postgresql_where=present,
        sqlite_where=present,
    )


def _snapshot_tables() -> None:
    op.create_table(
        "snapshots",
        _small("tenant_id"),
        _text("snapshot_id"),
        _text("owner"),
        _text("view", nullable=True),
        _text("condition"),
        _text("sequence"),
        _flag("is_locking"),
        _number("taken_at"),
        _small("size"),
        sa.PrimaryKeyConstraint("tenant_id", "snapshot_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "snapshot_items",
        _small("tenant_id"),
        _text("snapshot_id"),
        _small("place"),
        _text("interaction_id"),
        sa.PrimaryKeyConstraint("tenant_id", "snapshot_id", "place"),
        schema=SCHEMA,
    )

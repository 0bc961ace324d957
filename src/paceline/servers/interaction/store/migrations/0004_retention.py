"""Retention: events and finished interactions by month on PostgreSQL; readers and the floor of the log.

What stood in the two tables before becomes their default partition, so that no row is copied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
readable_from = 1

SCHEMA = "interaction"


def upgrade() -> None:
    """Divides the two tables, adds the indexes of reading and retention, and the readers."""
    if op.get_context().dialect.name == "postgresql":
        _divide("event_chunks", "last_at", "tenant_id, last_event_id, last_at")
        _divide("finished_interactions", "stopped_at", "tenant_id, interaction_id, stopped_at")
        _index("finished_interactions_other_end", "finished_interactions_other", ["stopped_at"])
    else:
        _index("event_chunks_last", "event_chunks", ["tenant_id", "last_event_id"])
        _index("finished_interactions_end", "finished_interactions", ["stopped_at"])
    _index("batch_age", "batch", ["committed_at"])
    _index("event_chunks_at", "event_chunks", ["last_at"])
    present = sa.text("external_id IS NOT NULL")
    op.create_index(
        "finished_interactions_external_id",
        "finished_interactions",
        ["tenant_id", "external_id"],
        schema=SCHEMA,
        postgresql_where=present,
        sqlite_where=present,
    )
    op.add_column(
        "node",
        sa.Column("dropped_event_id", sa.BigInteger(), nullable=False, server_default="0"),
        schema=SCHEMA,
    )
    op.create_table(
        "event_readers",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "reader"),
        schema=SCHEMA,
    )


def _divide(table: str, column: str, key: str) -> None:
    """Makes a table one of partitions by an instant; its rows so far become the default partition."""
    whole, other = f"{SCHEMA}.{table}", f"{SCHEMA}.{table}_other"
    for statement in (
        f"ALTER TABLE {whole} RENAME TO {table}_other",
        f"ALTER TABLE {other} DROP CONSTRAINT {table}_pkey",
        f"CREATE TABLE {whole} (LIKE {other} INCLUDING ALL) PARTITION BY RANGE ({column})",
        f"ALTER TABLE {whole} ADD PRIMARY KEY ({key})",
        f"ALTER TABLE {whole} ATTACH PARTITION {other} DEFAULT",
    ):
        op.execute(statement)


def _index(name: str, table: str, columns: list[str]) -> None:
    op.create_index(name, table, columns, schema=SCHEMA)

"""Positions of the streams, totals, and what is open: everything that a checkpoint holds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1


def upgrade() -> None:
    """Create the tables."""
    # Nodes and sources serve all tenants; everything else begins with the tenant.
    op.create_table(
        "nodes",
        sa.Column("node_code", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_event_id", sa.BigInteger, nullable=False),
        sa.Column("events_counted", sa.BigInteger, nullable=False),
        schema="stat",
    )
    op.create_table(
        "sources",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("position", sa.Text, nullable=False),
        schema="stat",
    )
    op.create_table(
        "totals",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("statistic_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        schema="stat",
    )
    op.create_table(
        "open_interactions",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("interaction_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        schema="stat",
    )
    op.create_table(
        "agents",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        schema="stat",
    )

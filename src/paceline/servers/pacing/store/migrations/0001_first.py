"""State of each cluster's pacing: learned values, epoch, sequence, stops."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pacer_state",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        schema="pacing",
    )

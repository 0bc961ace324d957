"""Agent sessions: name, own reason, a router's reservation, what a telephone system knows of a medium."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
readable_from = 1

SCHEMA = "interaction"


def upgrade() -> None:
    """Adds columns that older programs leave at their defaults."""
    for column in (
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reserved_by", sa.Text(), nullable=True),
        sa.Column("reserved_until", sa.BigInteger(), nullable=True),
    ):
        op.add_column("agent_sessions", column, schema=SCHEMA)
    for column in (
        sa.Column("state", sa.Text(), nullable=False, server_default=""),
        sa.Column("calls", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("agent_media", column, schema=SCHEMA)

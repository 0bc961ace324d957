"""Codes of reasons, beside their texts, of agent sessions and their media."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
readable_from = 1

SCHEMA = "interaction"


def upgrade() -> None:
    """Adds columns that older programs leave empty."""
    for table in ("agent_sessions", "agent_media"):
        op.add_column(table, sa.Column("reason_code", sa.Integer(), nullable=True), schema=SCHEMA)

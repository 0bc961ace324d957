"""Answers kept under idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
readable_from = 1

_SCHEMA = "message"


def upgrade() -> None:
    """Makes the table as storage.kept_answers wants it."""
    op.create_table(
        "kept_answers",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "operation", "key"),
        schema=_SCHEMA,
    )
    op.create_index("kept_answers_expiry", "kept_answers", ["expires_at"], schema=_SCHEMA)

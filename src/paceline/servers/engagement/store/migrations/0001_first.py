"""Invitations, what each target counts, epochs of reporters, submissions without acknowledgement."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1

_SCHEMA = "engagement"
_OPEN = sa.text("state IN ('offered', 'accepted')")


def upgrade() -> None:
    """Make the tables."""
    _writer()
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("invitation_id", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("offered_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("interaction_id", sa.Text),
        sa.Column("facts", sa.Text, nullable=False),
        schema=_SCHEMA,
    )
    op.create_index(
        "open_invitations",
        "invitations",
        ["tenant_id", "invitation_id"],
        schema=_SCHEMA,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )
    op.create_table(
        "submissions",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("invitation_id", sa.Text, primary_key=True),
        sa.Column("user_data", sa.Text, nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "target_counts",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("sent", sa.BigInteger, nullable=False),
        sa.Column("resolved", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "pacing_epoch",
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("credential", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )


def _writer() -> None:
    """Fence and record of batches, as storage.batch_outcome wants them."""
    op.create_table(
        "node",
        sa.Column("node_code", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("committed_at", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )

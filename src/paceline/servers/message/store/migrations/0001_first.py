"""First tables of the Message Server: messages and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1

_SCHEMA = "message"


def upgrade() -> None:
    """Creates both tables with the indexes of lists, of retention and of the active alarms."""
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "message_id"),
        schema=_SCHEMA,
    )
    _index("messages_number", "messages", ["tenant_id", "number", "message_id"])
    _index("messages_application", "messages", ["tenant_id", "application", "message_id"])
    _index("messages_at", "messages", ["at"])
    op.create_table(
        "alarms",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("alarm_id", sa.BigInteger, nullable=False),
        sa.Column("condition_id", sa.BigInteger, nullable=False),
        sa.Column("application_key", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("detected_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("cleared_at", sa.BigInteger),
        sa.Column("cleared_by", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "alarm_id"),
        schema=_SCHEMA,
    )
    is_active = sa.text("cleared_at IS NULL")
    op.create_index(
        "alarms_active",
        "alarms",
        ["tenant_id", "condition_id", "application_key", "subject"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=is_active,
        sqlite_where=is_active,
    )


def _index(name: str, table: str, columns: list[str]) -> None:
    op.create_index(name, table, columns, schema=_SCHEMA)

"""First tables of the Configuration Server: objects, history, credentials, keys, statuses."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1

_SCHEMA = "configuration"


def upgrade() -> None:
    """Creates all tables; those without a tenant belong to the whole site."""
    _history()
    _objects()
    _identities()


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("last_object_id", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("object_id", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name_before", sa.Text),
        sa.Column("body_before", sa.Text),
        sa.Column("body_after", sa.Text),
        sa.PrimaryKeyConstraint("seq", "ordinal"),
        schema=_SCHEMA,
    )


def _objects() -> None:
    op.create_table(
        "objects",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("object_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_text", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "type", "object_id"),
        sa.UniqueConstraint("tenant_id", "type", "key_text", name="objects_key"),
        schema=_SCHEMA,
    )
    op.create_table(
        "application_status",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("application_id", sa.BigInteger, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "application_id"),
        schema=_SCHEMA,
    )


def _identities() -> None:
    op.create_table(
        "credentials",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("object_id", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "object_id"),
        schema=_SCHEMA,
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("private", sa.Text, nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "revocations",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        schema=_SCHEMA,
    )

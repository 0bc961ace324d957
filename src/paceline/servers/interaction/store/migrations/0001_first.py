"""First schema of an interaction node."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
readable_from = 1

SCHEMA = "interaction"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _small(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _json() -> sa.types.TypeEngine[Any]:
    """JSON as text on both engines: kept as it came."""
    return sa.JSON().with_variant(sa.Text(), "sqlite")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _interaction_columns() -> list[sa.Column[Any]]:
    """The columns of model/interaction.Row, in its order."""
    return [
        _small("tenant_id"),
        _text("interaction_id"),
        _small("state"),
        _text("media_type"),
        _text("interaction_type"),
        _text("interaction_subtype"),
        _small("queue_id"),
        _small("priority"),
        _number("submit_seq"),
        _number("queue_seq"),
        _number("received_at"),
        _number("submitted_at"),
        _number("queued_at"),
        _number("assigned_at", nullable=True),
        _number("delivered_at", nullable=True),
        _number("abandoned_at", nullable=True),
        _number("scheduled_at", nullable=True),
        _flag("is_online"),
        _flag("is_locked"),
        _flag("is_held"),
        _small("agent_id", nullable=True),
        _small("place_id", nullable=True),
        _text("router_session", nullable=True),
        _number("ticket"),
        _number("ticket_until", nullable=True),
        _small("virtual_queue_id", nullable=True),
        _number("virtual_queue_at", nullable=True),
        _text("external_id", nullable=True),
        _text("parent_id", nullable=True),
        _text("submitted_by"),
        _small("version"),
        _small("properties_version"),
    ]


def upgrade() -> None:
    """Creates all tables and indexes."""
    op.create_table(
        "node",
        sa.Column("node_code", sa.Integer(), primary_key=True, autoincrement=False),
        _number("epoch"),
        _number("last_event_id"),
        _number("last_submit_seq"),
        _number("last_id_ms"),
        _number("business_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.Text(), primary_key=True),
        _number("epoch"),
        _number("committed_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "interactions",
        *_interaction_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "interaction_id"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": "70"},
    )
    _interaction_indexes()
    _data_tables()
    _once_tables()
    _agent_tables()


def _interaction_indexes() -> None:
    waiting = sa.text("state = 0 AND NOT is_locked AND NOT is_held")
    op.create_index(
        "waiting",
        "interactions",
        ["tenant_id", "queue_id", sa.text("(-priority)"), "received_at", "queue_seq"],
        schema=SCHEMA,
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    for column, keys in (
        ("external_id", ["tenant_id", "external_id"]),
        ("agent_id", ["tenant_id", "agent_id"]),
        ("ticket_until", ["ticket_until"]),
        ("router_session", ["router_session"]),
    ):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"interactions_{column}",
            "interactions",
            keys,
            schema=SCHEMA,
            postgresql_where=present,
            sqlite_where=present,
        )


def _agent_tables() -> None:
    op.create_table(
        "agent_sessions",
        _small("tenant_id"),
        _small("agent_id"),
        _text("session_id"),
        _small("place_id", nullable=True),
        _number("login_at"),
        _flag("is_linked"),
        _flag("do_not_disturb"),
        sa.PrimaryKeyConstraint("tenant_id", "agent_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "agent_media",
        _small("tenant_id"),
        _small("agent_id"),
        _text("media_type"),
        _flag("ready"),
        _text("reason", nullable=True),
        _number("changed_at"),
        sa.PrimaryKeyConstraint("tenant_id", "agent_id", "media_type"),
        schema=SCHEMA,
    )


def _data_tables() -> None:
    op.create_table(
        "interaction_data",
        _small("tenant_id"),
        _text("interaction_id"),
        sa.Column("user_data", _json(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "interaction_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "finished_interactions",
        *_interaction_columns(),
        _number("stopped_at"),
        _text("stop_reason", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "interaction_id"),
        schema=SCHEMA,
    )


def _once_tables() -> None:
    op.create_table(
        "client_ids",
        _small("tenant_id"),
        _text("interaction_id"),
        _number("created_at"),
        sa.PrimaryKeyConstraint("tenant_id", "interaction_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "submit_tokens",
        _small("tenant_id"),
        _text("caller"),
        _text("operation"),
        _text("token"),
        _number("expires_at"),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", _json(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "operation", "token"),
        schema=SCHEMA,
    )
    op.create_index("submit_tokens_expiry", "submit_tokens", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "event_chunks",
        _small("tenant_id"),
        _number("first_event_id"),
        _number("last_event_id"),
        _small("count"),
        _number("first_at"),
        _number("last_at"),
        sa.Column("events", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "first_event_id"),
        schema=SCHEMA,
    )

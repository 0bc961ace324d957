"""Views: what each interaction was pulled from, scheduled ones by their time, custom properties."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
readable_from = 1

SCHEMA = "interaction"


def upgrade() -> None:
    """Adds the view's column, the index of scheduled ones, and the list of custom properties."""
    for table in ("interactions", "finished_interactions"):
        op.add_column(table, sa.Column("view_id", sa.Integer()), schema=SCHEMA)
    present = sa.text("scheduled_at IS NOT NULL")
    op.create_index(
        "interactions_scheduled_at",
        "interactions",
        ["tenant_id", "queue_id", "scheduled_at"],
        schema=SCHEMA,
        postgresql_where=present,
        sqlite_where=present,
    )
    op.create_table(
        "custom_properties",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("property_key", sa.Text(), nullable=False),
        sa.Column("is_filled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "column_name"),
        schema=SCHEMA,
    )

"""The queues that are suggested for an interaction: where it may begin, where it may go when done."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
readable_from = 1

SCHEMA = "interaction"


def upgrade() -> None:
    """Adds the column to both tables of rows; older programs leave it empty."""
    for table in ("interactions", "finished_interactions"):
        op.add_column(table, sa.Column("destinations", sa.Text()), schema=SCHEMA)

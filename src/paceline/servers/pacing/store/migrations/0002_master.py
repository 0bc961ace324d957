"""Which node saved last: the master, as the other nodes of its cluster tell it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
readable_from = 1


def upgrade() -> None:
    """Adds the node's name; older programs leave it as it is."""
    op.add_column("pacer_state", sa.Column("node", sa.Text()), schema="pacing")

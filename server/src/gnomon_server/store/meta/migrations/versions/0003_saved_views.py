"""Saved views of experiments."""

from alembic import op

from gnomon_server.store.meta import tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # A new database has the table from the first revision already.
    tables.saved_view_base.create(op.get_bind(), checkfirst=True)

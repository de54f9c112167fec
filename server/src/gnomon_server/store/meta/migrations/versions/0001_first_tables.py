"""The first tables."""

from alembic import op

from gnomon_server.store.meta import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    tables.metadata.create_all(op.get_bind())

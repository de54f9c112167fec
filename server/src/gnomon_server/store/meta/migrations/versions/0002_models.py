"""Datasets, logged models and the model registry."""

from alembic import op

from gnomon_server.store.meta import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Makes the tables that are missing; a new database has them from the first revision already.
    tables.metadata.create_all(op.get_bind())

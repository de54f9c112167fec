"""Datasets, logged models and the model registry."""

from alembic import op

from gnomon_server.store.meta import tables
from gnomon_server.store.meta.statistics import write_statistics

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Makes the tables that are missing; a new database has them from the first revision already.
    connection = op.get_bind()
    tables.metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        write_statistics(connection)

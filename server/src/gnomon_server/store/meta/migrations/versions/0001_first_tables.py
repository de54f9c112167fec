"""The first tables, and on SQLite the statistics that its planner goes by."""

from alembic import op

from gnomon_server.store.meta import tables
from gnomon_server.store.meta.statistics import write_statistics

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    tables.metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        write_statistics(connection)

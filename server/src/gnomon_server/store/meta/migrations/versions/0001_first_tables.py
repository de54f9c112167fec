"""The first tables, and on SQLite the statistics that its planner goes by."""

from alembic import op

from gnomon_server.store.meta.migrations import first_postgresql, first_sqlite
from gnomon_server.store.meta.statistics import write_statistics

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in first_sqlite.STATEMENTS if is_sqlite else first_postgresql.STATEMENTS:
        connection.exec_driver_sql(statement)
    if is_sqlite:
        write_statistics(connection)

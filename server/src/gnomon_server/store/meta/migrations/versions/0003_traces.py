"""Traces, their spans and their assessments."""

from alembic import op

from gnomon_server.store.meta.migrations import traces
from gnomon_server.store.meta.statistics import write_statistics

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in traces.SQLITE if is_sqlite else traces.POSTGRESQL:
        connection.exec_driver_sql(statement)
    if is_sqlite:
        write_statistics(connection)

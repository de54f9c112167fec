"""Points that a writer logged and did not keep, beside its place in the ledger."""

from alembic import op

from gnomon_server.store.meta.statistics import write_statistics

revision = "0002"
down_revision = "0001"

_SQLITE = """CREATE TABLE thinned_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, writer TEXT NOT NULL,
    points INTEGER NOT NULL, PRIMARY KEY (tenant, run, writer),
    FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) ) WITHOUT ROWID"""
_POSTGRESQL = """CREATE TABLE thinned_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, writer TEXT NOT NULL,
    points BIGINT NOT NULL, PRIMARY KEY (tenant, run, writer),
    FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) )"""


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(_SQLITE if is_sqlite else _POSTGRESQL)
    if is_sqlite:
        write_statistics(connection)

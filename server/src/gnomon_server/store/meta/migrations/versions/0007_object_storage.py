"""The tables of what stands in an object store, frozen like every revision; and who this database is."""

from uuid import uuid4

from alembic import op

from gnomon_server.store.meta.statistics import write_statistics

revision = "0007"
down_revision = "0006"

_SQLITE = (
    """CREATE TABLE installation_ ( id TEXT NOT NULL, PRIMARY KEY (id) )""",
    """CREATE TABLE blob_object_ ( tenant INTEGER NOT NULL, sha256 TEXT NOT NULL, object TEXT NOT NULL, PRIMARY KEY
        (tenant, sha256), FOREIGN KEY(tenant, sha256) REFERENCES blob_ (tenant, sha256) ) WITHOUT ROWID""",
    """CREATE INDEX blob_object_key ON blob_object_ (tenant, object)""",
    """CREATE TABLE upload_ ( tenant INTEGER NOT NULL, uid TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL,
        path TEXT NOT NULL, size INTEGER, sha256 TEXT, part_size INTEGER NOT NULL, begun_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, uid) ) WITHOUT ROWID""",
    """CREATE TABLE chunk_object_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, gen
        INTEGER NOT NULL, part INTEGER NOT NULL, object TEXT NOT NULL, at INTEGER NOT NULL, length INTEGER NOT NULL,
        PRIMARY KEY (tenant, run, "key", gen, part), FOREIGN KEY(tenant, run, "key", gen, part) REFERENCES chunk_
        (tenant, run, "key", gen, part) ) WITHOUT ROWID""",
    """CREATE INDEX chunk_object_key ON chunk_object_ (tenant, object)""",
)
_POSTGRESQL = (
    """CREATE TABLE installation_ ( id TEXT NOT NULL, PRIMARY KEY (id) )""",
    """CREATE TABLE blob_object_ ( tenant BIGINT NOT NULL, sha256 TEXT NOT NULL, object TEXT NOT NULL, PRIMARY KEY
        (tenant, sha256), FOREIGN KEY(tenant, sha256) REFERENCES blob_ (tenant, sha256) )""",
    """CREATE INDEX blob_object_key ON blob_object_ (tenant, object)""",
    """CREATE TABLE upload_ ( tenant BIGINT NOT NULL, uid TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL,
        path TEXT NOT NULL, size BIGINT, sha256 TEXT, part_size BIGINT NOT NULL, begun_ms BIGINT NOT NULL, PRIMARY
        KEY (tenant, uid) )""",
    """CREATE TABLE chunk_object_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, key BIGINT NOT NULL, gen BIGINT
        NOT NULL, part BIGINT NOT NULL, object TEXT NOT NULL, at BIGINT NOT NULL, length BIGINT NOT NULL, PRIMARY
        KEY (tenant, run, key, gen, part), FOREIGN KEY(tenant, run, key, gen, part) REFERENCES chunk_ (tenant, run,
        key, gen, part) )""",
    """CREATE INDEX chunk_object_key ON chunk_object_ (tenant, object)""",
)


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"INSERT INTO installation_ (id) VALUES ('{uuid4().hex}')")  # noqa: S608  # hex digits
    if is_sqlite:
        write_statistics(connection)

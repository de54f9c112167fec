"""What tenants keep, counted once from what is there, and what they may keep."""

import sqlalchemy as sa
from alembic import op

from gnomon_server.store.meta.statistics import write_statistics

revision = "0012"
down_revision = "0011"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTED = ("experiments", "runs", "series", "points", "artifact_bytes")
_COUNT = """INSERT INTO usage_ (tenant, shard, experiments, runs, series, points, artifact_bytes)
    SELECT id, 0,
        (SELECT count(*) FROM experiment_ WHERE tenant = tenant_.id),
        (SELECT count(*) FROM run_ WHERE tenant = tenant_.id),
        (SELECT count(*) FROM series_ WHERE tenant = tenant_.id),
        (SELECT coalesce(sum(n), 0) FROM series_ WHERE tenant = tenant_.id),
        (SELECT coalesce(sum(size), 0) FROM blob_ WHERE tenant = tenant_.id AND refs > 0)
    FROM tenant_"""


def upgrade() -> None:
    op.create_table(
        "usage_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("shard", _INT, nullable=False),
        *(sa.Column(name, _INT, nullable=False) for name in _COUNTED),
        sa.PrimaryKeyConstraint("tenant", "shard"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quota_",
        sa.Column("tenant", _INT, nullable=False, autoincrement=False),
        *(sa.Column(name, _INT) for name in _COUNTED),
        sa.Column("version", _INT, nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant_.id"]),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_COUNT)
        write_statistics(connection)
    else:
        # The owner of the tables is bound by the tenant wall too, which shows everyone's rows to who says so, here for
        # the transaction of this revision.
        connection.exec_driver_sql("SELECT set_config('gnomon.everyone', 'on', true)")
        connection.exec_driver_sql(_COUNT)

"""Rules of what is archived and removed by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "retention_rule_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("experiment", _INT),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("after_ms", _INT, nullable=False),
        sa.Column("keep_best", _INT, nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("best", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("applied_ms", _INT),
        sa.Column("applied_runs", _INT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "uid"),
        sa.ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
        sqlite_with_rowid=False,
    )

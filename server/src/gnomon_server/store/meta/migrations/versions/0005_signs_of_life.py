"""Signs of life of runs, and what happened to a run besides its data."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "check_in_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("run", _INT, nullable=False),
        sa.Column("seen_ms", _INT, nullable=False),
        sa.Column("lost_ms", _INT),
        sa.PrimaryKeyConstraint("tenant", "run"),
        sa.ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
        sqlite_with_rowid=False,
    )
    where = sa.text("lost_ms IS NULL")
    op.create_index("check_in_due", "check_in_", ["seen_ms"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "run_event_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("run", _INT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("at_ms", _INT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "run", "uid"),
        sa.ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
        sqlite_with_rowid=False,
    )

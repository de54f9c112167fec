"""Rules over metrics, and for which runs they have fired."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rule_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("experiment", _INT, nullable=False),
        sa.Column("active", _INT, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("updated_ms", _INT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "uid"),
        sa.ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("rule_experiment", "rule_", ["tenant", "experiment", "uid"])
    op.create_table(
        "firing_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("run", _INT, nullable=False),
        sa.Column("fired_ms", _INT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("seen", _INT, nullable=False),
        sa.Column("cleared_ms", _INT),
        sa.PrimaryKeyConstraint("tenant", "rule", "run"),
        sa.ForeignKeyConstraint(["tenant", "rule"], ["rule_.tenant", "rule_.uid"]),
        sa.ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("firing_run", "firing_", ["tenant", "run"])

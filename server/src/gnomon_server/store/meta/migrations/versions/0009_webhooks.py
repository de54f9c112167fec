"""Webhooks and the outbox of their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhook_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("experiment", _INT),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("active", _INT, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text()),
        sa.Column("previous_until_ms", _INT),
        sa.Column("busy_until_ms", _INT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("updated_ms", _INT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "uid"),
        sa.ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery_",
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", _INT, nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("next_ms", _INT, nullable=False),
        sa.Column("done_ms", _INT),
        sa.Column("status", _INT),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "uid"),
        sa.ForeignKeyConstraint(["tenant", "webhook"], ["webhook_.tenant", "webhook_.uid"]),
        sqlite_with_rowid=False,
    )
    op.create_index("delivery_webhook", "delivery_", ["tenant", "webhook", "uid"])
    op.create_index("delivery_done", "delivery_", ["done_ms"])
    where = sa.text("state = 'waiting'")
    op.create_index(
        "delivery_due", "delivery_", ["next_ms", "tenant", "webhook"], sqlite_where=where, postgresql_where=where
    )

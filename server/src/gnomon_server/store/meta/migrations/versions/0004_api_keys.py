"""API keys, the version that tells of their changes, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_key_",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_ms", _INT),
        sa.Column("last_used_ms", _INT),
        sa.Column("revoked_ms", _INT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "api_key_tenant_",
        sa.Column("api_key", sa.Text(), nullable=False),
        sa.Column("tenant", _INT, nullable=False),
        sa.PrimaryKeyConstraint("api_key", "tenant"),
        sa.ForeignKeyConstraint(["api_key"], ["api_key_.id"]),
        sa.ForeignKeyConstraint(["tenant"], ["tenant_.id"]),
    )
    op.create_table("access_version_", sa.Column("version", _INT, nullable=False))
    op.execute("INSERT INTO access_version_ (version) VALUES (0)")
    op.create_table(
        "audit_",
        sa.Column("id", _INT, nullable=False, autoincrement=False),
        sa.Column("at_ms", _INT, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_tenant", "audit_", ["tenant", "id"])

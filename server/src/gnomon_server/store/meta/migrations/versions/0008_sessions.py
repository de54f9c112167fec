"""Sessions of people who sign in with the identity provider."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "session_",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("login", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", _INT, nullable=False),
        sa.Column("expires_ms", _INT, nullable=False),
        sa.Column("last_used_ms", _INT),
        sa.Column("revoked_ms", _INT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("session_login", "session_", ["login"], unique=True)
    op.create_table(
        "session_tenant_",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session", "tenant"),
        sa.ForeignKeyConstraint(["session"], ["session_.id"]),
        sa.ForeignKeyConstraint(["tenant"], ["tenant_.id"]),
    )

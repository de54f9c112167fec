"""Where the files of a version are that was copied from another: its source names that one, which may be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("model_version_", sa.Column("files", sa.Text()))

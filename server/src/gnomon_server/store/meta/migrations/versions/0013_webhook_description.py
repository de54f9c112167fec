"""What a webhook is for, in the words of who made it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("webhook_", sa.Column("description", sa.Text()))

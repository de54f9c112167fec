"""INSERT … ON CONFLICT, which SQLAlchemy has per dialect though both databases spell it alike."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def upsert(connection: Connection, base: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT into the table that has `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(base)
    return sqlite.insert(base)

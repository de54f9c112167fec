"""What a database is to the rooms above: three doors, whichever engine stands behind them.

- `read(tenant)`: one snapshot of one tenant's rows, behind the tenant wall.
- `open_writer()`: a connection that writes, behind the wall too.
- `system()`: a snapshot without the wall, read-only, for the few questions that are not a tenant's.

`engine.py` has them for SQLite, `postgres.py` for PostgreSQL.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store.moved_chunks import MovedChunks


class Writing(Protocol):
    """A connection that writes. It stays on one thread."""

    connection: Connection

    def as_tenant(self, tenant: TenantId) -> AbstractContextManager[Connection]:
        """Say whom the next statements serve."""

    def transaction(self, tenant: TenantId) -> AbstractContextManager[Connection]:
        """A transaction that serves one tenant, and beside which nothing else is written for it."""

    def close(self) -> None:
        """Give the connection up."""


class Database(Protocol):
    """The doors of one database.

    `is_shared`: other processes may write to it too. `moved`: where the chunks are read that left it.
    """

    is_shared: bool
    moved: MovedChunks

    def read(self, tenant: TenantId | None) -> AbstractContextManager[Connection]:
        """One snapshot of one tenant's rows; None sees nothing."""

    def system(self) -> AbstractContextManager[Connection]:
        """One snapshot of everything."""

    def open_writer(self) -> Writing:
        """A connection that writes."""

    def close(self) -> None:
        """Close what is open."""

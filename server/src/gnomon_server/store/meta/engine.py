"""Connections to the embedded database, and what each kind may see.

Three doors, and no other module opens a connection:

- `read(tenant)`: a pooled read-only connection behind the tenant wall, one snapshot for the whole block.
- `writer()`: the one connection that writes and checkpoints, behind the wall too. Only the writer thread has it.
- `system()`: read-only without the wall, for the few questions that are not a tenant's: who owns an id, which runs
  are due for sealing, which tenants there are.

`synchronous=FULL`: a commit is on the disk before it returns (NORMAL lost an acknowledged commit in half of the
power-loss images we made). Readers wait for a pooled connection rather than fail: a burst is answered slowly instead
of rejected.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, QueuePool

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta.driver import Driver, attach_driver, driver_of
from gnomon_server.store.meta.functions import register_functions
from gnomon_server.store.meta.wall import Wall
from gnomon_server.store.moved_chunks import OPTION, MovedChunks

# The WAL reset of older versions can corrupt a database (fixed in 3.51.3).
MIN_SQLITE = (3, 51, 3)

_READERS = 8
_SYSTEM_READERS = 2
_STATEMENT_CACHE = 512
# The driver keeps what came first: the statements of every request must find room after lists of any length, too.
_WRITER_STATEMENT_CACHE = 2048
# 16 MiB of WAL between checkpoints: fewer, larger ones, still far below the 64 MiB that a restart may have to read.
_CHECKPOINT_PAGES = 4096
_PAGE_BYTES = 4096
# Of a small disk the WAL takes at most this share, so that the reserve always has room to move it into the database.
_WAL_SHARE = 64
_BUSY_TIMEOUT_SECS = 30


class Database:
    """The embedded database of one home: a file, its WAL, and the doors to it."""

    is_shared = False  # one process writes

    def __init__(self, path: Path) -> None:
        if sqlite.sqlite_version_info < MIN_SQLITE:
            raise RuntimeError(f"SQLite {sqlite.sqlite_version} is too old; install pysqlite3 with 3.51.3 or newer")
        self.path = path
        self.moved = MovedChunks()
        self._readers = self._engine(walled=True, read_only=True, pool_size=_READERS)
        self._system = self._engine(walled=False, read_only=True, pool_size=_SYSTEM_READERS)
        self._writer = self._engine(walled=True, read_only=False, pool_size=None)

    def _engine(self, *, walled: bool, read_only: bool, pool_size: int | None) -> Engine:
        url = sa.URL.create("sqlite", database=str(self.path))
        options: dict[str, object] = {"poolclass": NullPool}
        if pool_size is not None:
            options = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": 0, "pool_timeout": 60}
        engine = sa.create_engine(
            url,
            module=sqlite,
            connect_args={
                "isolation_level": None,
                "check_same_thread": False,
                "cached_statements": _STATEMENT_CACHE if read_only else _WRITER_STATEMENT_CACHE,
                "timeout": _BUSY_TIMEOUT_SECS,
            },
            query_cache_size=_STATEMENT_CACHE,
            execution_options={OPTION: self.moved},
            **options,
        )

        @sa.event.listens_for(engine, "connect")
        def _prepare(dbapi: sqlite.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
            _set_pragmas(dbapi, read_only=read_only)
            if not read_only:
                dbapi.execute(f"PRAGMA wal_autocheckpoint = {_checkpoint_pages(self.path.parent)}")
            register_functions(dbapi)
            dbapi.create_function("gnomon_casefold", 1, _casefold, deterministic=True)
            wall = Wall(dbapi) if walled else None
            if wall is not None:
                record.info["wall"] = wall
            attach_driver(record, Driver(dbapi, wall))
            if read_only:
                dbapi.execute("PRAGMA query_only = ON")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            driver = driver_of(connection)
            assert driver is not None, "attached when the connection was opened"
            driver.run("BEGIN" if read_only else "BEGIN IMMEDIATE")

        if walled:

            @sa.event.listens_for(engine, "before_cursor_execute")
            def _before(connection: Connection, _cursor: object, statement: str, *_args: object) -> None:
                _reset(connection, statement)

        if walled and read_only:

            @sa.event.listens_for(engine, "checkin")
            def _renew(_dbapi: sqlite.Connection | None, record: sa.pool.ConnectionPoolEntry) -> None:
                # People think of ever new filters, each a statement: in time they would fill the driver's cache, and
                # what every request asks would be prepared anew each time.
                wall = record.info.get("wall")
                if isinstance(wall, Wall) and wall.is_worn:
                    record.invalidate()

        return engine

    @contextmanager
    def read(self, tenant: TenantId | None) -> Iterator[Connection]:
        """One snapshot of one tenant's rows; None sees nothing."""
        with self._readers.connect() as connection:
            wall = _wall(connection)
            wall.tenant = tenant
            try:
                with connection.begin():
                    yield connection
            finally:
                wall.tenant = None

    @contextmanager
    def system(self) -> Iterator[Connection]:
        """One snapshot of everything, for questions that are not a tenant's."""
        with self._system.connect() as connection, connection.begin():
            yield connection

    def open_writer(self) -> "WriteConnection":
        """The one connection that writes. The caller keeps it on one thread and closes it."""
        return WriteConnection(self._writer.connect())

    def close(self) -> None:
        for engine in (self._readers, self._system, self._writer):
            engine.dispose()


class WriteConnection:
    """The writing connection and its wall: `as_tenant` says whom the next statements serve."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._wall = _wall(connection)

    @contextmanager
    def as_tenant(self, tenant: TenantId) -> Iterator[Connection]:
        self._wall.tenant = tenant
        try:
            yield self.connection
        finally:
            self._wall.tenant = None

    @contextmanager
    def transaction(self, tenant: TenantId) -> Iterator[Connection]:
        """A transaction that serves one tenant. SQLite has no other beside it."""
        with self.as_tenant(tenant) as connection, connection.begin():
            yield connection

    def checkpoint(self, *, wait_secs: float = _BUSY_TIMEOUT_SECS) -> None:
        """Move the WAL into the database file and truncate it, if its readers end within `wait_secs`."""
        self._outside_transactions(f"PRAGMA busy_timeout = {int(wait_secs * 1000)}")
        self._outside_transactions("PRAGMA wal_checkpoint(TRUNCATE)")
        self._outside_transactions(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_SECS * 1000}")

    def shrink(self, *, most_pages: int) -> None:
        """Cut free pages off the database file; the disk has their space after the next checkpoint."""
        self._outside_transactions(f"PRAGMA incremental_vacuum({most_pages})")

    def _outside_transactions(self, statement: str) -> None:
        self.connection.rollback()
        dbapi = self.connection.connection.dbapi_connection
        assert dbapi is not None  # a checked-out connection has one
        self._wall.begin_statement()
        # To the end: vacuuming does a page a row, though the rows have no columns.
        dbapi.execute(statement).fetchall()

    def close(self) -> None:
        self.connection.close()


def _wall(connection: Connection) -> Wall:
    wall = connection.connection.info["wall"]
    assert isinstance(wall, Wall)
    return wall


def _reset(connection: Connection, statement: str = "") -> None:
    wall = connection.connection.info.get("wall")
    if wall is not None:
        wall.begin_statement(statement)


def _casefold(text: str | None) -> str | None:
    """SQLite's lower() knows ASCII only; names are in every script."""
    return None if text is None else text.casefold()


def _set_pragmas(dbapi: sqlite.Connection, *, read_only: bool) -> None:
    dbapi.execute("PRAGMA journal_mode = WAL")
    dbapi.execute("PRAGMA synchronous = FULL")
    dbapi.execute("PRAGMA foreign_keys = ON")
    # Or a row that OR REPLACE removes would not pass the wall's triggers.
    dbapi.execute("PRAGMA recursive_triggers = ON")
    dbapi.execute("PRAGMA trusted_schema = OFF")
    dbapi.execute(f"PRAGMA cache_size = -{8 * 1024 if read_only else 32 * 1024}")
    dbapi.execute("PRAGMA temp_store = MEMORY")


def _checkpoint_pages(directory: Path) -> int:
    disk = os.statvfs(directory)
    return max(1, min(_CHECKPOINT_PAGES, disk.f_frsize * disk.f_blocks // _PAGE_BYTES // _WAL_SHARE))

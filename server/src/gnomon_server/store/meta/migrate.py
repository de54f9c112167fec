"""Bringing the embedded database up to date at start: it is the user's file, so the server does it by itself.

A database that is at the newest revision is recognised by one query, without importing Alembic. A newer one than this
version knows is refused: an older server must not write into it.
"""

import os
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta.sqlite_errors import is_unusable

HEAD = "0013"
_FOLDER = Path(__file__).parent / "migrations"


# Less than SQLite needs to open a database: then a full disk is why it could not.
_LEAST_BYTES = 1024 * 1024


class NewerDatabase(Exception):
    """The database was written by a newer version of the server."""


class OutdatedDatabase(Exception):
    """A shared database is not what this version works with, and the server may not change it by itself."""


class UnusableDatabase(Exception):
    """The database cannot be opened: its disk is full, or the file is not readable, not ours or damaged."""


def migrate(path: Path) -> None:
    """Create the tables, or change them to the newest revision, each revision in one transaction.

    Raises `NewerDatabase` and `UnusableDatabase`.
    """
    try:
        _migrate(path)
    except (sqlite.Error, sa.exc.DBAPIError) as error:
        if not is_unusable(error):
            raise
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> UnusableDatabase:
    disk = os.statvfs(path.parent)
    left = disk.f_frsize * disk.f_bavail
    if left < _LEAST_BYTES:
        return UnusableDatabase(f"the disk of {path} is full ({left:,} bytes left); free some space and start again")
    reason = getattr(error, "orig", error)
    return UnusableDatabase(f"{path} cannot be opened ({reason}); see that this user may write it and that it is whole")


def _migrate(path: Path) -> None:
    revision = _revision(path)
    if revision == HEAD:
        return
    if revision is not None and revision > HEAD:
        raise NewerDatabase(f"{path} was written by a newer gnomon (revision {revision}); install that version again")
    engine = migration_engine(path)
    with engine.connect() as connection:
        upgrade(connection)
        connection.commit()
    engine.dispose()


def upgrade(connection: sa.Connection) -> None:
    """Run the revisions that are missing, on either database."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migration_engine(path: Path) -> sa.Engine:
    """An engine whose transactions hold what changes the schema too: a kill leaves a whole revision.

    The driver by itself would begin one only before INSERT, UPDATE or DELETE, so that each CREATE stood alone.
    """
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, module=sqlite, poolclass=NullPool, connect_args={"isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: sqlite.Connection, _record: object) -> None:
        # Set before the first table is made: later it would cost a rewrite of the whole file.
        dbapi.execute("PRAGMA auto_vacuum = INCREMENTAL")
        dbapi.execute("PRAGMA journal_mode = WAL")
        dbapi.execute("PRAGMA synchronous = FULL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _revision(path: Path) -> str | None:
    if not path.exists():
        return None
    connection = sqlite.connect(str(path))
    try:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if found else None
        return None if row is None else str(row[0])
    finally:
        connection.close()

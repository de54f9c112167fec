"""Bringing the embedded database up to date at start: it is the user's file, so the server does it by itself.

A database that is at the newest revision is recognised by one query, without importing Alembic. A newer one than this
version knows is refused: an older server must not write into it.
"""

from pathlib import Path

import pysqlite3.dbapi2 as sqlite

HEAD = "0003"
_FOLDER = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """The database was written by a newer version of the server."""


def migrate(path: Path) -> None:
    """Create the tables, or change them to the newest revision, each revision in one transaction."""
    revision = _revision(path)
    if revision == HEAD:
        return
    if revision is not None and revision > HEAD:
        raise NewerDatabase(f"{path} was written by a newer gnomon (revision {revision}); install that version again")
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.pool import NullPool

    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, module=sqlite, poolclass=NullPool)
    with engine.connect() as connection:
        # Set before the first table is made: later it would cost a rewrite of the whole file.
        connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("PRAGMA synchronous = FULL")
        connection.commit()
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


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

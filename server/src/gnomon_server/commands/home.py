"""Opening the database of a home for one command."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import click

from gnomon_server.model.audit import Deed
from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings, is_postgresql, load_settings
from gnomon_server.store import Connection, database_path
from gnomon_server.store.meta import audit, checkup
from gnomon_server.store.meta.doors import Database, Writing
from gnomon_server.store.meta.engine import Database as SqliteDatabase
from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.opening import CANNOT_OPEN, open_database

T = TypeVar("T")

# Whose rows a transaction for the server's own tables may write.
_NOBODY = TenantId(0)

home_option = click.option(
    "--home", type=click.Path(path_type=Path), help="folder of the server's data [GNOMON_HOME; default ~/.gnomon]"
)


class OpenedHome:
    """The database of a home, for reading and for one transaction after another."""

    def __init__(self, database: Database, writing: Writing) -> None:
        self.database = database
        self._writing = writing

    def transact(self, work: Callable[[Connection], T], /, *, tenant: TenantId = _NOBODY) -> T:
        """Run work in a transaction of its own. A running server waits for it, a few milliseconds."""
        with self._writing.transaction(tenant) as connection:
            return work(connection)


@contextmanager
def opened_home(home: Path | None) -> Iterator[OpenedHome]:
    """Open the database, which is made or brought up to date first."""
    os.umask(0o077)
    try:
        settings = load_settings(home=None if home is None else str(home))
        database = open_database(settings)
    except CANNOT_OPEN as error:
        raise click.ClickException(str(error)) from None
    writing = database.open_writer()
    try:
        yield OpenedHome(database, writing)
    finally:
        writing.close()
        database.close()


def open_as_it_is(settings: Settings) -> Database:
    """The database of settings, neither made nor brought up to date. Raises what `CANNOT_OPEN` names."""
    if is_postgresql(settings.database_url):
        return open_database(settings)
    path = database_path(settings.database_url)
    if not path.exists():
        raise ValueError(f"there is no database {path}; name the home with --home")
    if path.stat().st_uid != os.getuid():  # what SQLite makes beside it would lock its owner out
        raise ValueError(f"{path} belongs to another user; run this command as that user")
    database = SqliteDatabase(path)
    with database.system() as connection:
        revision = checkup.read_revision(connection)
    if revision != HEAD:
        database.close()
        raise ValueError(f"{path} is at revision {revision}, not {HEAD}; start and stop a server of this version on it")
    return database


def write_down(settings: Settings, deed: Deed) -> None:
    """Write into the audit log what the operator has done. Where that cannot be, it is said, for it is done already."""
    try:
        with (
            closing(open_as_it_is(settings)) as database,
            closing(database.open_writer()) as writing,
            writing.transaction(_NOBODY) as connection,
        ):
            audit.append_deeds(connection, [deed], now_ms=now_ms())
    except (*CANNOT_OPEN, *checkup.UNREADABLE, Unavailable) as error:
        reason = error.detail if isinstance(error, Unavailable) else str(getattr(error, "orig", None) or error)
        click.echo(f"warning: {deed.action} does not stand in the audit log: {reason}", err=True)


def now_ms() -> int:
    return time.time_ns() // 1_000_000

"""Opening the database of a home for one command."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from gnomon_server.model.ids import TenantId
from gnomon_server.settings import load_settings
from gnomon_server.store import Connection
from gnomon_server.store.meta.doors import Database, Writing
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


def now_ms() -> int:
    return time.time_ns() // 1_000_000

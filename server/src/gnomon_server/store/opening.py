"""Opening what the settings name: the one place that looks at the URL of the database."""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from gnomon_server.model.batches import RunBatch
from gnomon_server.model.changes import Change
from gnomon_server.model.errors import GnomonError, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.model.spending import Spending
from gnomon_server.settings import Settings, is_postgresql
from gnomon_server.store import BatchWriter, Telling, database_path
from gnomon_server.store.directories import make_durable
from gnomon_server.store.meta.doors import Database, Writing
from gnomon_server.store.meta.engine import Database as SqliteDatabase
from gnomon_server.store.meta.migrate import NewerDatabase, OutdatedDatabase, UnusableDatabase, migrate
from gnomon_server.store.object_store import StoreRefused
from gnomon_server.store.reserve import Reserve
from gnomon_server.store.writer import Writer

_NO_DRIVER = "GNOMON_DATABASE names PostgreSQL, whose driver is not installed; run: pip install 'gnomon[postgresql]'"

# What may be in the way of opening a database, each with a sentence that says what to do.
CANNOT_OPEN = (NewerDatabase, OutdatedDatabase, UnusableDatabase, StoreRefused, ValueError)


class HomeInUse(Exception):
    """Another server has this home open."""


def lock_home(settings: Settings) -> IO[str]:
    """Make the home if need be, and hold it until the file is closed. Raises `HomeInUse`.

    An embedded database has one server. With PostgreSQL several may share the home's files, but not with that one.
    """
    home = settings.home_path
    is_shared = is_postgresql(settings.database_url)
    is_made = home.exists() and (is_shared or database_path(settings.database_url).exists())
    if not is_made:  # or an earlier start may have been cut off before it had synced
        make_durable(home)
    lock = (home / "gnomon.lock").open("a+", encoding="ascii")  # held as long as the server lives
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise HomeInUse(
            f"another gnomon server (process {holder or 'unknown'}) has {home} open; stop it or choose another --home"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def open_database(settings: Settings) -> Database:
    """The database, ready to serve; an embedded one is made, or brought up to date, first.

    Raises `ValueError` for a URL that cannot be used, and what `migrate` and `migrate_postgres.check` raise.
    """
    url = settings.database_url
    if is_postgresql(url):
        return _open_postgres(url)
    path = database_path(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(path)
    return SqliteDatabase(path)


def migrate_shared(url: str, *, serving_role: str | None) -> tuple[str | None, str]:
    """Bring a PostgreSQL database up to date; its revision before and after."""
    if not is_postgresql(url):
        raise ValueError("an embedded database is brought up to date by the server itself; there is nothing to do")
    need_driver()
    from gnomon_server.store.meta import migrate_postgres

    return migrate_postgres.migrate(url, serving_role=serving_role)


def release_reserve(settings: Settings) -> None:
    """Give back what a killed server had set aside: on a full disk this start needs it."""
    if not is_postgresql(settings.database_url):
        _reserve(database_path(settings.database_url)).release()


def make_writer(
    database: Database,
    *,
    commit_batches: Callable[[Writing, Sequence[tuple[TenantId, RunBatch]]], Sequence[object | GnomonError]],
    on_undo: Callable[[], None],
    on_fatal: Callable[[Exception], None],
    on_commit: Callable[[int, float], None],
    on_changes: Callable[[Sequence[Change]], None],
) -> BatchWriter:
    """The writer of the database, not yet started."""
    if isinstance(database, SqliteDatabase):
        return Writer(
            database,
            commit_batches=commit_batches,
            on_undo=on_undo,
            on_fatal=on_fatal,
            on_commit=on_commit,
            on_changes=on_changes,
            reserve=_reserve(database.path),
        )
    from gnomon_server.store.lanes import Lanes
    from gnomon_server.store.meta.postgres import PostgresDatabase

    assert isinstance(database, PostgresDatabase)
    return Lanes(
        database,
        lane_of=_run_of,
        is_alone=_begins_run,
        commit_batches=commit_batches,
        on_undo=on_undo,
        on_commit=on_commit,
        on_changes=on_changes,
    )


def make_gossip(
    database: Database,
    *,
    hear: Callable[[Sequence[Change]], None],
    hear_gap: Callable[[], None],
    spending: Spending,
) -> Telling | None:
    """What tells other processes on the same database of changes; None where there can be none."""
    if not database.is_shared:
        return None
    from gnomon_server.store.gossip import Gossip
    from gnomon_server.store.meta.postgres import PostgresDatabase

    assert isinstance(database, PostgresDatabase)
    return Gossip(database, hear=hear, hear_gap=hear_gap, spending=spending)


def _open_postgres(url: str) -> Database:
    need_driver()
    from gnomon_server.store.meta.migrate_postgres import check
    from gnomon_server.store.meta.postgres import PostgresDatabase

    database = PostgresDatabase(url)
    try:
        with database.system() as connection:
            check(connection)
    except Unavailable as error:
        database.close()
        reason = str(error.__cause__).strip().partition("\n")[0]
        raise UnusableDatabase(f"PostgreSQL cannot be reached: {reason}") from error
    except Exception:
        database.close()
        raise
    return database


def need_driver() -> None:
    """Raise `ValueError` where the driver of PostgreSQL is not installed."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ValueError(_NO_DRIVER) from None


def _reserve(path: Path) -> Reserve:
    return Reserve(path.with_name(f"{path.name}-reserve"))


def _run_of(batch: RunBatch) -> str:
    return batch.run


def _begins_run(batch: RunBatch) -> bool:
    """A run that is begun counts in its experiment, which may be made with it: nothing else is written meanwhile."""
    return batch.create is not None

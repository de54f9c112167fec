"""Moving all rows of an embedded database to PostgreSQL, and proving that they arrived.

Both databases are at the same revision, so a row is copied as it is, column by column. Tables come parents first, each
tenant's rows in the order of the primary key, some in a transaction: what has arrived is always a beginning, and a move
that was cut short goes on after it. Every row is written behind the wall, in the name of its tenant.

The proof reads both ends anew. Of every table and tenant the rows are counted and hashed, each row with all of its
columns; the sum of the hashes does not depend on the order in which a database gives them out.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.meta.policies import EVERYONE, RUN_ROWS, TENANT
from gnomon_server.store.meta.postgres import create_engine, engine_url
from gnomon_server.store.meta.rows import Digest, Part, batches, count_points, quoted

Progress = Callable[[str, int, int], None]

_FETCHED_AT_ONCE = 1_000
# Into these a migration writes a row of its own, which that of the source takes the place of.
_SEEDED = frozenset(("access_version_", "installation_"))


class MoveError(Exception):
    """The databases cannot be joined by a move, or the ends differ: a sentence that says which and what to do."""


class Moved(NamedTuple):
    """What stands at both ends now: rows of all tables, and how many series and points are among them."""

    tables: int
    rows: int
    series: int
    points: int


def move(source: Path, url: str, *, progress: Progress) -> Moved:
    """Copy everything that is not there yet, then compare the ends. The caller holds the home of the source.

    `url` is of the role that owns the tables. Raises `MoveError`.
    """
    with _both(source, url, "mend that and move again, it goes on where it was") as (old, new):
        _refuse_others(old, new)
        return _fill(old, new, progress)


def restore(source: Path, url: str, *, progress: Progress) -> Moved:
    """Copy everything into tables without rows, and compare, in one transaction: all of it is there or nothing.

    `source` is nobody else's; `url` is of the role that owns the tables. Raises `MoveError`.
    """
    with _both(source, url, "nothing was put back") as (old, new), new.transaction():
        _refuse_rows(new)
        return _fill(old, new, progress)


def refuse_rows_of(url: str) -> None:
    """Raise `MoveError` when the database holds anything but what a migration writes."""
    with _target(url, "nothing was put back") as new:
        _refuse_rows(new)


def _refuse_rows(new: psycopg.Connection[Any]) -> None:
    with new.transaction(), new.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", (EVERYONE,))
        for table in t.metadata.sorted_tables:
            cursor.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table.name)))
            if cursor.fetchone() is not None and table.name not in _SEEDED:
                raise MoveError(
                    f"the PostgreSQL database is not empty (there are rows in {table.name}); restore into a new one"
                )
        cursor.execute("SELECT set_config(%s, 'off', true)", (EVERYONE,))  # the caller's transaction goes on


def _fill(old: sqlite.Connection, new: psycopg.Connection[Any], progress: Progress) -> Moved:
    parts = _parts(old)
    _copy_all(old, new, parts, progress)
    _set_sequences(old, new)
    return _compare(old, new, parts, progress)


@contextmanager
def _both(source: Path, url: str, then: str) -> Iterator[tuple[sqlite.Connection, psycopg.Connection[Any]]]:
    with closing(_open(source)) as old, _target(url, then) as new:
        yield old, new


@contextmanager
def _target(url: str, then: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to PostgreSQL; what it refuses becomes a sentence that ends with what to do."""
    engine = create_engine(engine_url(url), poolclass=NullPool)
    try:
        with closing(engine.raw_connection()) as held:
            new = held.driver_connection
            assert isinstance(new, psycopg.Connection)
            yield new
    except (psycopg.Error, sa.exc.DBAPIError) as error:
        raise MoveError(f"PostgreSQL refused: {reason_of(error)}; {then}") from error
    finally:
        engine.dispose()


def reason_of(error: Exception) -> str:
    """The first line of what the driver says."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _open(source: Path) -> sqlite.Connection:
    """One snapshot for the whole move."""
    connection = sqlite.connect(f"file:{source}?mode=ro", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision != HEAD:
        connection.close()
        raise MoveError(
            f"{source} is at revision {revision}, not {HEAD}; start and stop a server of this version on it"
        )
    return connection


def _parts(old: sqlite.Connection) -> list[Part]:
    tenants = [int(tenant) for (tenant,) in old.execute("SELECT id FROM tenant_ ORDER BY id")]
    walled = frozenset(t.WALLED)
    return [
        Part(table, tenant) for table in t.metadata.sorted_tables for tenant in (tenants if table in walled else [None])
    ]


def _refuse_others(old: sqlite.Connection, new: psycopg.Connection[Any]) -> None:
    """The target is empty, or holds the beginning of this very source."""
    ours = set(old.execute("SELECT id, name, created_ms FROM tenant_"))
    theirs = set(new.execute("SELECT id, name, created_ms FROM tenant_").fetchall())
    if not theirs <= ours:
        raise MoveError("the PostgreSQL database holds tenants of another installation; move into an empty one")


def _copy_all(old: sqlite.Connection, new: psycopg.Connection[Any], parts: Sequence[Part], progress: Progress) -> None:
    counts = [_count_old(old, part) for part in parts]
    total, done = sum(counts), 0
    for part, count in zip(parts, counts, strict=True):
        there = _count_new(new, part)
        if part.table.name in _SEEDED:
            _replace(old, new, part)
        elif there > count:
            raise MoveError(f"{part} has more rows in PostgreSQL than here; something else has written to it")
        else:
            for arrived in _copy(old, new, part, skip=there):
                progress("copying", done + there + arrived, total)
        done += count
        progress("copying", done, total)


def _copy(old: sqlite.Connection, new: psycopg.Connection[Any], part: Part, *, skip: int) -> Iterator[int]:
    """Copy a part from a row on; yields how many rows have arrived after each transaction."""
    insert = _insert(part)
    rows = old.execute(
        f"{part.select()} ORDER BY {quoted(part.key)} LIMIT -1 OFFSET ?",  # names of our own tables
        (*part.parameters, skip),
    )
    arrived = 0
    for batch in batches(rows):
        with new.transaction(), new.cursor() as cursor:
            _serve(cursor, part)
            cursor.executemany(insert, batch)
        arrived += len(batch)
        yield arrived


def _replace(old: sqlite.Connection, new: psycopg.Connection[Any], part: Part) -> None:
    rows = old.execute(part.select(), part.parameters).fetchall()
    with new.transaction(), new.cursor() as cursor:
        _serve(cursor, part)
        cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(part.table.name)))
        cursor.executemany(_insert(part), rows)


def _set_sequences(old: sqlite.Connection, new: psycopg.Connection[Any]) -> None:
    """Let the numbers that PostgreSQL gives out go on after those that were given out.

    The segments of sealed points are gone, and their numbers order the chunks: SQLite remembers the last one.
    """
    (segment,) = old.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'segment_'").fetchone()
    with new.transaction(), new.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", (EVERYONE,))
        cursor.execute("SELECT setval(pg_get_serial_sequence('tenant_', 'id'), greatest(max(id), 1)) FROM tenant_")
        cursor.execute("SELECT setval(pg_get_serial_sequence('segment_', 'id'), %s)", (max(int(segment or 0), 1),))
        cursor.execute(sql.SQL("SELECT setval({}, greatest(max(id), 1)) FROM run_").format(sql.Literal(RUN_ROWS)))


def _compare(old: sqlite.Connection, new: psycopg.Connection[Any], parts: Sequence[Part], progress: Progress) -> Moved:
    rows = 0
    for number, part in enumerate(parts):
        here = Digest(old.execute(part.select(), part.parameters))
        with new.transaction(), new.cursor("moved") as cursor:
            _serve_session(new, part)
            cursor.itersize = _FETCHED_AT_ONCE
            cursor.execute(part.select(mark="%s"), part.parameters)
            there = Digest(cursor)
        if here != there:
            raise MoveError(
                f"{part} differs: {here.rows} rows here and {there.rows} in PostgreSQL; drop that database's schema and"
                " move again"
            )
        rows += here.rows
        progress("comparing", number + 1, len(parts))
    series, points = count_points(old)
    return Moved(tables=len(t.metadata.sorted_tables), rows=rows, series=series, points=points)


def _count_old(old: sqlite.Connection, part: Part) -> int:
    where = "" if part.tenant is None else " WHERE tenant = ?"
    found = old.execute(f'SELECT count(*) FROM "{part.table.name}"{where}', part.parameters)  # noqa: S608
    return int(found.fetchone()[0])


def _count_new(new: psycopg.Connection[Any], part: Part) -> int:
    with new.transaction(), new.cursor() as cursor:
        _serve(cursor, part)
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(part.table.name)))
        found = cursor.fetchone()
    return 0 if found is None else int(found[0])


def _serve(cursor: psycopg.Cursor[Any], part: Part) -> None:
    if part.tenant is not None:
        cursor.execute("SELECT set_config(%s, %s, true)", (TENANT, str(part.tenant)))


def _serve_session(new: psycopg.Connection[Any], part: Part) -> None:
    with new.cursor() as cursor:
        _serve(cursor, part)


def _insert(part: Part) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(part.table.name),
        sql.SQL(", ").join(map(sql.Identifier, part.columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(part.columns)),
    )

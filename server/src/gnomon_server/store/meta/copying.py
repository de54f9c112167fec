"""Copying all rows of PostgreSQL into an embedded database, for a backup, while servers write on.

Everything is read in one transaction that only reads and sees one state: a batch is in the copy whole or not at all,
and nobody waits for it. The role is the one that serves, or the owner: both may read every row of a transaction that
says so, and neither is believed to see them all before its policies were looked at. Rows stay as they are, column by
column, so the copy is a database that a server can be started on, and of which every row is compared with what was
read. Zeros lose their sign, which SQLite does not keep.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.migrate import HEAD, migrate
from gnomon_server.store.meta.move import MoveError, reason_of
from gnomon_server.store.meta.policies import EVERYONE
from gnomon_server.store.meta.postgres import create_engine, engine_url
from gnomon_server.store.meta.rows import Digest, Part, Row, batches, quoted

Progress = Callable[[str, int, int], None]

# A large table takes longer than any statement of a server may.
_BEGIN = f"""BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL {EVERYONE} = 'on'; SET LOCAL TimeZone = 'UTC';
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"""
_HIDDEN = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname = ANY(%s) AND c.relrowsecurity
    AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'gnomon_everyone')"""
_ESTIMATE = """SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = ANY(%s)"""
_TYPES = {sa.BigInteger: "int8", sa.Text: "text", sa.Double: "float8", sa.LargeBinary: "bytea"}


def copy_out(url: str, target: Path, *, progress: Progress) -> None:
    """Make an embedded database of the rows there are at this moment. Raises `MoveError`.

    The target must not be there. It is not synced; the caller does that.
    """
    engine = create_engine(engine_url(url), poolclass=NullPool)
    try:
        with closing(engine.raw_connection()) as held:
            source = held.driver_connection
            assert isinstance(source, psycopg.Connection)
            source.execute(_BEGIN.encode())
            _refuse_unreadable(source)
            migrate(target)
            with closing(sqlite.connect(str(target), isolation_level=None)) as copy:
                _fill(source, copy, progress)
    except (psycopg.Error, sa.exc.DBAPIError) as error:
        raise MoveError(
            f"PostgreSQL refused: {reason_of(error)}; give the URL of the role that serves, or of the owner"
        ) from error
    finally:
        engine.dispose()


def _refuse_unreadable(source: psycopg.Connection[Any]) -> None:
    there = source.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    found = source.execute("SELECT version_num FROM alembic_version").fetchone() if there and there[0] else None
    if found is None or found[0] != HEAD:
        state = "has no tables" if found is None else f"is at revision {found[0]}"
        raise MoveError(f"the database {state}, this version copies {HEAD}; run `gnomon server migrate`")
    hidden = source.execute(_HIDDEN, (_names(),)).fetchall()
    if hidden:
        raise MoveError(f"rows of {hidden[0][0]} would not be seen; run `gnomon server migrate` as the owner")


def _fill(source: psycopg.Connection[Any], copy: sqlite.Connection, progress: Progress) -> None:
    copy.execute("PRAGMA journal_mode = DELETE")  # of the finished file, which nothing stands beside
    copy.execute("PRAGMA journal_mode = OFF")
    copy.execute("PRAGMA synchronous = OFF")
    copy.execute("BEGIN")
    indexes = copy.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _made in indexes:
        copy.execute(f"DROP INDEX {quoted([name])}")
    estimate = source.execute(_ESTIMATE, (_names(),)).fetchone()
    total = int(estimate[0]) if estimate else 0
    done, read = 0, []
    for table in t.metadata.sorted_tables:
        part, digest = Part(table, None), Digest()
        copy.execute(f"DELETE FROM {quoted([table.name])}")  # noqa: S608  # what its migrations wrote; our own names
        insert = _insert(part)
        for batch in batches(_rows(source, part)):
            for row in batch:
                digest.add(row)
            copy.executemany(insert, batch)
            done += len(batch)
            progress("database", done, max(total, done + 1))
        read.append((part, digest))
    for _name, made in indexes:
        copy.execute(made)
    _set_segments(source, copy)
    copy.execute("COMMIT")
    for part, digest in read:
        if Digest(copy.execute(part.select())) != digest:
            raise MoveError(f"{part} did not arrive as it was read; look at the disk, and take the backup again")


def _rows(source: psycopg.Connection[Any], part: Part) -> Iterator[Row]:
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(", ").join(map(sql.Identifier, part.columns)), sql.Identifier(part.table.name)
    )
    with source.cursor() as cursor, cursor.copy(query) as copied:
        copied.set_types([_type_of(column) for column in part.table.columns])
        yield from copied.rows()


def _type_of(column: sa.Column[Any]) -> str:
    return next(name for kind, name in _TYPES.items() if isinstance(column.type, kind))


def _set_segments(source: psycopg.Connection[Any], copy: sqlite.Connection) -> None:
    """The numbers of segments order the chunks and are never given out twice, also not after those that are sealed."""
    last = source.execute(
        "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('segment_', 'id')::regclass), 0)"
    ).fetchone()
    assert last is not None
    copy.execute("DELETE FROM sqlite_sequence WHERE name = 'segment_'")
    copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('segment_', ?)", (int(last[0]),))


def _insert(part: Part) -> str:
    marks = ", ".join("?" * len(part.columns))
    return f"INSERT INTO {quoted([part.table.name])} ({quoted(part.columns)}) VALUES ({marks})"  # noqa: S608  # our names


def _names() -> list[str]:
    return [table.name for table in t.metadata.sorted_tables]

"""Moving all rows of an embedded database to PostgreSQL, and proving that they arrived.

Both databases are at the same revision, so a row is copied as it is, column by column. Tables come parents first, each
tenant's rows in the order of the primary key, some in a transaction: what has arrived is always a beginning, and a move
that was cut short goes on after it. Every row is written behind the wall, in the name of its tenant.

The proof reads both ends anew. Of every table and tenant the rows are counted and hashed, each row with all of its
columns; the sum of the hashes does not depend on the order in which a database gives them out.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.meta.policies import RUN_ROWS, TENANT
from gnomon_server.store.meta.postgres import create_engine, engine_url

Progress = Callable[[str, int, int], None]

_ROWS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 8 << 20
_MODULUS = 1 << 128
# Into these a migration writes a row of its own, which that of the source takes the place of.
_SEEDED = frozenset(("access_version_", "installation_"))


class MoveError(Exception):
    """The databases cannot be joined by a move, or the ends differ: a sentence that says which and what to do."""


class Part(NamedTuple):
    """The rows of one table, and of one tenant where the table has tenants."""

    table: sa.Table
    tenant: int | None

    def __str__(self) -> str:
        return self.table.name if self.tenant is None else f"{self.table.name} of tenant {self.tenant}"

    @property
    def columns(self) -> list[str]:
        return [column.name for column in self.table.columns]

    @property
    def key(self) -> list[str]:
        return [column.name for column in self.table.primary_key.columns]


class Moved(NamedTuple):
    """What stands at both ends now: rows of all tables, and how many series and points are among them."""

    tables: int
    rows: int
    series: int
    points: int


class _Digest(NamedTuple):
    rows: int
    digest: int


def move(source: Path, url: str, *, progress: Progress) -> Moved:
    """Copy everything that is not there yet, then compare the ends. The caller holds the home of the source.

    `url` is of the role that owns the tables. Raises `MoveError`.
    """
    engine = create_engine(engine_url(url), poolclass=NullPool)
    try:
        with closing(_open(source)) as old, closing(engine.raw_connection()) as held:
            new = held.driver_connection
            assert isinstance(new, psycopg.Connection)
            parts = _parts(old)
            _refuse_others(old, new)
            _copy_all(old, new, parts, progress)
            _set_sequences(new)
            return _compare(old, new, parts, progress)
    except (psycopg.Error, sa.exc.DBAPIError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise MoveError(f"PostgreSQL refused: {reason}; mend that and move again, it goes on where it was") from error
    finally:
        engine.dispose()


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
        f"{_select(part)} ORDER BY {_quoted(part.key)} LIMIT -1 OFFSET ?",  # names of our own tables
        (*_of_tenant(part), skip),
    )
    arrived = 0
    for batch in _batches(rows):
        with new.transaction(), new.cursor() as cursor:
            _serve(cursor, part)
            cursor.executemany(insert, batch)
        arrived += len(batch)
        yield arrived


def _replace(old: sqlite.Connection, new: psycopg.Connection[Any], part: Part) -> None:
    rows = old.execute(_select(part), _of_tenant(part)).fetchall()
    with new.transaction(), new.cursor() as cursor:
        _serve(cursor, part)
        cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(part.table.name)))
        cursor.executemany(_insert(part), rows)


def _batches(rows: sqlite.Cursor) -> Iterator[list[tuple[object, ...]]]:
    batch: list[tuple[object, ...]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, (bytes, str)))
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _set_sequences(new: psycopg.Connection[Any]) -> None:
    """Let the numbers that PostgreSQL gives out go on after those that are there."""
    with new.transaction(), new.cursor() as cursor:
        cursor.execute("SELECT set_config('gnomon.everyone', 'on', true)")
        for table, column in (("tenant_", "id"), ("segment_", "id")):
            cursor.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({name}, {column}), greatest(max({of}), 1)) FROM {table}"
                ).format(
                    name=sql.Literal(table),
                    column=sql.Literal(column),
                    of=sql.Identifier(column),
                    table=sql.Identifier(table),
                )
            )
        cursor.execute(sql.SQL("SELECT setval({}, greatest(max(id), 1)) FROM run_").format(sql.Literal(RUN_ROWS)))


def _compare(old: sqlite.Connection, new: psycopg.Connection[Any], parts: Sequence[Part], progress: Progress) -> Moved:
    rows = series = points = 0
    for number, part in enumerate(parts):
        here = _digest(old.execute(_select(part), _of_tenant(part)))
        with new.transaction(), new.cursor("moved") as cursor:
            _serve_session(new, part)
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(_select(part, mark="%s"), _of_tenant(part))
            there = _digest(cursor)
        if here != there:
            raise MoveError(
                f"{part} differs: {here.rows} rows here and {there.rows} in PostgreSQL; drop that database's schema and"
                " move again"
            )
        rows += here.rows
        progress("comparing", number + 1, len(parts))
    for table, tenant in parts:
        if table.name == "series_":
            where = "SELECT count(*), coalesce(sum(n), 0) FROM series_ WHERE tenant = ?"
            count, n = old.execute(where, (tenant,)).fetchone()
            series, points = series + int(count), points + int(n)
    return Moved(tables=len(t.metadata.sorted_tables), rows=rows, series=series, points=points)


def _digest(rows: Any) -> _Digest:
    """`rows`: a cursor of either driver, which share no type."""
    encode = msgspec.msgpack.Encoder().encode
    count = digest = 0
    for row in rows:
        hashed = hashlib.sha256(encode([_plain(value) for value in row])).digest()
        digest = (digest + int.from_bytes(hashed[:16], "big")) % _MODULUS
        count += 1
    return _Digest(count, digest)


def _plain(value: object) -> object:
    """Doubles that are whole come from SQLite's columns as doubles, and from PostgreSQL's too; blobs are bytes."""
    return bytes(value) if isinstance(value, memoryview) else value


def _count_old(old: sqlite.Connection, part: Part) -> int:
    where = "" if part.tenant is None else " WHERE tenant = ?"
    found = old.execute(f'SELECT count(*) FROM "{part.table.name}"{where}', _of_tenant(part))  # noqa: S608
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


def _select(part: Part, *, mark: str = "?") -> str:
    where = "" if part.tenant is None else f" WHERE tenant = {mark}"
    return f'SELECT {_quoted(part.columns)} FROM "{part.table.name}"{where}'  # noqa: S608  # names of our own tables


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _of_tenant(part: Part) -> tuple[int, ...]:
    return () if part.tenant is None else (part.tenant,)

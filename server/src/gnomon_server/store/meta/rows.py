"""The rows of whole tables, for what copies a database: which there are, how they are read, how two ends compare.

A digest is over all columns of each row, and the sum of the rows' hashes does not depend on the order in which a
database gives them out.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa

_ROWS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 8 << 20
_MODULUS = 1 << 128

Row = Sequence[object]


class Part(NamedTuple):
    """The rows of one table; of one tenant of it, or of all."""

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

    @property
    def parameters(self) -> tuple[int, ...]:
        return () if self.tenant is None else (self.tenant,)

    def select(self, *, mark: str = "?") -> str:
        """The statement that reads the rows; `mark` stands for the tenant."""
        where = "" if self.tenant is None else f" WHERE tenant = {mark}"
        return f'SELECT {quoted(self.columns)} FROM "{self.table.name}"{where}'  # noqa: S608  # names of our own tables


class Digest:
    """How many rows there were, and the sum of their hashes."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = 0
        self._sum = 0
        self._encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        hashed = hashlib.sha256(self._encode([_plain(value) for value in row])).digest()
        self._sum = (self._sum + int.from_bytes(hashed[:16], "big")) % _MODULUS
        self.rows += 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows by the thousand, or fewer when they are large."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, (bytes, str)))
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def count_points(database: sqlite.Connection) -> tuple[int, int]:
    """The series and the points of an embedded database, of all tenants."""
    count, n = database.execute("SELECT count(*), coalesce(sum(n), 0) FROM series_").fetchone()
    return int(count), int(n)


def quoted(names: Sequence[str]) -> str:
    """Names of columns as SQL lists them."""
    return ", ".join(f'"{name}"' for name in names)


def _plain(value: object) -> object:
    """One value, whichever driver it comes from. SQLite keeps no sign of zero."""
    if isinstance(value, memoryview):
        return bytes(value)
    return value + 0.0 if isinstance(value, float) else value

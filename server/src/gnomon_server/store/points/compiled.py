"""Statements that run for every request, compiled once per dialect and handed to the driver as tuples.

Core's own path costs more per row than SQLite needs to store it. The statement is still written as a Core expression,
so both databases get theirs from the same words.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert

from gnomon_server.store.meta.driver import Row, Sent, driver_of

S = TypeVar("S", bound=sa.ClauseElement)


class _Hot(Generic[S]):
    """A statement whose parameters come as tuples in the order of `names`, the names of its bound parameters.

    It remembers its text per dialect: that is a pure function of the expression, so sharing it between threads is safe.
    """

    def __init__(self, names: Sequence[str], build: Callable[[Connection], S]) -> None:
        self._names = tuple(names)
        self._build = build
        self._texts: dict[str, tuple[str, Callable[[Row], Sent]]] = {}

    def _text(self, connection: Connection) -> tuple[str, Callable[[Row], Sent]]:
        """The words of the statement, and how a row becomes what its placeholders take."""
        text = self._texts.get(connection.dialect.name)
        if text is None:
            compiled = self._build(connection).compile(dialect=connection.dialect)
            text = self._texts[connection.dialect.name] = (str(compiled), _sender(self._names, compiled))
        return text


class HotScalar(_Hot["sa.Select[int]"]):
    """A SELECT of one value, asked for every batch."""

    def run(self, connection: Connection, row: Row) -> int | None:
        """The value, or None where there is no row."""
        sql, send = self._text(connection)
        driver = driver_of(connection)
        if driver is None:
            found = connection.exec_driver_sql(sql, send(row)).scalar()
        else:
            rows = driver.run(sql, send(row))
            found = rows[0][0] if rows else None
        assert found is None or isinstance(found, int)
        return found


class HotInsert(_Hot[Insert]):
    """An INSERT for many rows."""

    def __init__(self, names: Sequence[str], build: Callable[[Connection], Insert]) -> None:
        super().__init__(names, lambda connection: build(connection).inline())

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert the rows, in their order."""
        if not rows:
            return
        sql, send = self._text(connection)
        sent = [send(row) for row in rows]
        driver = driver_of(connection)
        if driver is None:
            connection.exec_driver_sql(sql, sent)
        else:
            driver.run_many(sql, sent)


def _sender(names: Sequence[str], compiled: "sa.Compiled") -> Callable[[Row], Sent]:
    """From the order of `names` to that of the driver's placeholders, or to their names where they have some."""
    assert isinstance(compiled, SQLCompiler)
    if compiled.positiontup is None:
        return lambda row: dict(zip(names, row, strict=True))
    return itemgetter(*(names.index(name) for name in compiled.positiontup))

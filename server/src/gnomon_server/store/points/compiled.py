"""Statements that run for every request, compiled once per dialect and handed to the driver as tuples.

Core's own path costs more per row than SQLite needs to store it. The statement is still written as a Core expression,
so both databases get theirs from the same words.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

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


class HotSelect(_Hot["sa.Select[Any]"]):
    """A SELECT of a few rows, asked for every batch. `Any`: columns are of any type."""

    def run(self, connection: Connection, row: Row) -> Sequence[Sequence[Any]]:
        """The rows that it finds."""
        sql, send = self._text(connection)
        driver = driver_of(connection)
        return connection.exec_driver_sql(sql, send(row)).all() if driver is None else driver.run(sql, send(row))

    def scalar(self, connection: Connection, row: Row) -> int | None:
        """The first value of the first row, a number; None where there is no row."""
        rows = self.run(connection, row)
        return int(rows[0][0]) if rows else None


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
    places = [names.index(name) for name in compiled.positiontup]
    if not places:
        return lambda _row: ()
    return itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)

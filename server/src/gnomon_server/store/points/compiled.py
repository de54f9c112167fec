"""Statements that run for every request, compiled once per dialect and handed to the driver as tuples.

Core's own path costs more per row than SQLite needs to store it. The statement is still written as a Core expression,
so both databases get theirs from the same words.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert

Row = tuple[object, ...]


class HotScalar:
    """A SELECT of one value, asked for every batch: its parameters come as a tuple in the order of `names`."""

    def __init__(self, names: Sequence[str], statement: "sa.Select[int]") -> None:
        self._names = tuple(names)
        self._statement = statement
        self._texts: dict[str, tuple[str, Callable[[Row], Row] | None]] = {}

    def run(self, connection: Connection, row: Row) -> int | None:
        """The value, or None where there is no row."""
        text = self._texts.get(connection.dialect.name)
        if text is None:
            compiled = self._statement.compile(dialect=connection.dialect)
            text = self._texts[connection.dialect.name] = (str(compiled), _reorder(self._names, compiled))
        sql, reorder = text
        sent = dict(zip(self._names, row, strict=True)) if reorder is None else reorder(row)
        found = connection.exec_driver_sql(sql, sent).scalar()
        return None if found is None else int(found)


class HotInsert:
    """An INSERT for many rows: tuples in the order of `names`, the names of its bound parameters.

    It remembers its text per dialect: that is a pure function of the expression, so sharing it between threads is safe.
    """

    def __init__(self, names: Sequence[str], build: Callable[[Connection], Insert]) -> None:
        self._names = tuple(names)
        self._build = build
        self._texts: dict[str, tuple[str, Callable[[Row], Row] | None]] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert the rows, in their order."""
        if not rows:
            return
        sql, reorder = self._text(connection)
        if reorder is not None:
            connection.exec_driver_sql(sql, [reorder(row) for row in rows])
        else:
            connection.exec_driver_sql(sql, [dict(zip(self._names, row, strict=True)) for row in rows])

    def _text(self, connection: Connection) -> tuple[str, Callable[[Row], Row] | None]:
        text = self._texts.get(connection.dialect.name)
        if text is None:
            compiled = self._build(connection).inline().compile(dialect=connection.dialect)
            text = self._texts[connection.dialect.name] = (str(compiled), _reorder(self._names, compiled))
        return text


def _reorder(names: Sequence[str], compiled: "sa.Compiled") -> Callable[[Row], Row] | None:
    """From the order of `names` to that of the driver's placeholders; None where those have names."""
    assert isinstance(compiled, SQLCompiler)
    if compiled.positiontup is None:
        return None
    return itemgetter(*(names.index(name) for name in compiled.positiontup))

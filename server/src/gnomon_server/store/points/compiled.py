"""Statements that run for every request, compiled once per dialect and handed to the driver as tuples.

Core's own path costs more per row than SQLite needs to store it. The statement is still written as a Core expression,
so both databases get theirs from the same words.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter

from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

Row = tuple[object, ...]


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
            reorder = None
            if compiled.positiontup is not None:
                reorder = itemgetter(*(self._names.index(name) for name in compiled.positiontup))
            text = self._texts[connection.dialect.name] = (str(compiled), reorder)
        return text
